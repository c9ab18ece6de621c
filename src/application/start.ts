// `run`: starts a run of a plan, or continues the one that there is.

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { branchLockName } from "../adapters/branch-lock.ts";
import { type Checkout, inspectCheckout, isIgnored } from "../adapters/git/inspect.ts";
import { discardEmptyJournal, readJournal } from "../adapters/journal-file.ts";
import { readOwner, wordOwner } from "../adapters/owner.ts";
import { archiveRun, createRunFolder, type FoundRun, lookAtRun } from "../adapters/run-folder.ts";
import type { RunCreated, RunEvent } from "../core/event.ts";
import { describe } from "../core/failure.ts";
import type { RunId } from "../core/ids.ts";
import type { Policy } from "../core/policy.ts";
import { failed, type Result, success } from "../core/result.ts";
import type { PolicyFlags } from "../schema/config.ts";
import { hashPrd } from "../schema/prd-hash.ts";
import { type Base, findBase, findBranch } from "./branch.ts";
import { checkoutRefusal } from "./checkout-refusal.ts";
import { judgeClaims } from "./claims.ts";
import { refuseInsideAgent } from "./inside-agent.ts";
import { type Plan, readPlan } from "./locate.ts";
import { tellMissing } from "./missing-files.ts";
import { type NewRunOptions, tellNewRunOptions } from "./new-run-options.ts";
import { findPolicy } from "./policy.ts";
import { findProblems, refuseFor, worktreeRootOf } from "./preflight.ts";
import { readRunState } from "./read-run.ts";
import { problem, type Refusal, refuse } from "./refusal.ts";
import { continueRun, ownedBy } from "./resume.ts";
import type { RunEnded, StartListener } from "./run-handle.ts";
import { chooseSandbox, type SandboxChoice, tellSandbox } from "./sandbox.ts";
import { type SessionPlace, takeLocks, toRefusal } from "./session.ts";
import { preflightEnded, toSessionStarted } from "./session-started.ts";
import { opening, work } from "./work.ts";

export interface StartOptions extends NewRunOptions {
  /** A slug of dev/work/plans, or a path to a prd.json. */
  readonly plan: string;
  /** Where to begin looking for the checkout; default: the working directory. */
  readonly cwd?: string;
  readonly flags?: PolicyFlags;
}

export async function startRun(options: StartOptions, listener: StartListener): Promise<RunEnded> {
  const prepared = await prepare(options);
  if (!prepared.ok) return { kind: "refused", refusal: prepared.failure };
  if (prepared.value.kind === "continue") {
    const { checkout, run, flags } = prepared.value;
    tellNewRunOptions(options, listener);
    return continueRun({ checkout, run, flags, extraAttempts: 0, acceptChanges: false }, listener);
  }
  return begin(prepared.value, listener);
}

type Prepared = { kind: "continue"; checkout: Checkout; run: FoundRun; flags: PolicyFlags } | NewRun;

interface NewRun {
  readonly kind: "new";
  readonly checkout: Checkout;
  readonly earlier: FoundRun;
  readonly created: RunCreated;
  readonly policy: Policy;
  readonly flags: PolicyFlags;
  readonly worktreeRoot: string;
}

async function prepare(options: StartOptions): Promise<Result<Prepared, Refusal>> {
  const inside = refuseInsideAgent();
  if (inside !== null) return failed(inside);
  const cwd = options.cwd ?? process.cwd();
  const checkout = await inspectCheckout(cwd);
  if (!checkout.ok) return failed(checkoutRefusal(checkout.failure));
  const plan = readPlan({ checkout: checkout.value.topLevel, cwd, plan: options.plan });
  if (!plan.ok) return plan;
  const flags = options.flags ?? {};
  const earlier = lookAtRun(checkout.value.topLevel, plan.value.slug);
  const isBegun = earlier.hasJournal && !isStillborn(earlier);
  if (isBegun && options.fresh !== true) {
    return success({ kind: "continue", checkout: checkout.value, run: earlier, flags });
  }
  const ended = isBegun ? checkEnded(earlier) : success(undefined);
  if (!ended.ok) return ended;
  const made = await prepareNew({ options, checkout: checkout.value, plan: plan.value, earlier, flags });
  if (made.ok) return made;
  // Another start that was faster may be the reason, which holds the branch now.
  return failed(ownedBy(lookAtRun(checkout.value.topLevel, plan.value.slug)) ?? made.failure);
}

/** Killed between making the journal and its first event: nothing was begun, and this start takes its place. */
function isStillborn(earlier: FoundRun): boolean {
  if (earlier.ownership.state === "live") return false;
  const read = readJournal({ folder: earlier.folder });
  return read.ok && read.value.entries.length === 0;
}

function checkEnded(earlier: FoundRun): Result<void, Refusal> {
  const refuseFresh = (at: { value: string; hint: string; exitCode: 2 | 5 }): Result<never, Refusal> => {
    const { exitCode, ...found } = at;
    const expected = "an earlier run that has ended";
    return failed(refuse([problem({ path: "--fresh", expected, ...found })], exitCode));
  };
  const { owner, state: ownership } = earlier.ownership;
  if (ownership === "live") {
    const who = owner === null ? "another program" : `another program (${wordOwner(owner)})`;
    const hint = `${who} works on it: wait for its end, or "execute-prd cancel ${earlier.slug}"`;
    return refuseFresh({ value: "running", hint, exitCode: 5 });
  }
  const state = readRunState(earlier.folder);
  if (!state.ok) return success(undefined); // a damaged journal is archived as it is
  const { kind } = state.value.phase;
  if (kind === "completed" || kind === "failed") return success(undefined);
  const hint = `resume it, or end it with "execute-prd cancel ${earlier.slug}" first`;
  return refuseFresh({ value: kind, hint, exitCode: 2 });
}

async function prepareNew(at: {
  options: StartOptions;
  checkout: Checkout;
  plan: Plan;
  earlier: FoundRun;
  flags: PolicyFlags;
}): Promise<Result<NewRun, Refusal>> {
  const { options, checkout, plan } = at;
  const found = await findPolicy(checkout.topLevel, at.flags);
  if (!found.ok) return found;
  const { policy, hasNamedGates } = found.value;
  const worktreeRoot = worktreeRootOf(checkout.mainWorktree ?? checkout.topLevel, policy);
  const wanted = options.branch ?? plan.prd.branchName ?? `feature/${plan.slug}`;
  const base = await findBase(checkout, options.base);
  const branch = base.ok
    ? await findBranch(checkout, {
        wanted,
        base: base.value,
        isFresh: options.fresh === true && options.branch === undefined,
        slug: plan.slug,
      })
    : success("");
  const problems = [
    ...(base.ok ? [] : base.failure),
    ...(branch.ok ? [] : branch.failure),
    ...(await findProblems({
      checkout: checkout.topLevel,
      mainWorktree: checkout.mainWorktree ?? checkout.topLevel,
      worktreeRoot,
      policy,
      hasNamedGates,
      prd: plan.prd,
      planFile: plan.shownFile,
    })),
  ];
  const owned = branch.ok ? null : branchOwned(checkout, wanted);
  if (owned !== null) return failed(owned);
  if (!base.ok || !branch.ok || problems.length > 0) return failed(refuseFor(problems));
  const claims = await judgeClaims(checkout, {
    prd: plan.prd,
    base: base.value.sha,
    redo: options.redo === true,
  });
  const told = [
    ...tellDirty(checkout, plan.shownFile),
    ...plan.told,
    ...found.value.told,
    ...claims.told,
    ...tellMissing(checkout.topLevel, plan.prd),
  ];
  const created = toCreated({
    checkout,
    plan,
    base: base.value,
    branch: branch.value,
    told,
    before: claims.completed,
    worktreeRoot,
  });
  return success({
    kind: "new",
    checkout,
    earlier: at.earlier,
    created,
    policy,
    flags: at.flags,
    worktreeRoot,
  });
}

/** A live run holds its branch, which is no mistake of the plan's: that program has to end first. */
function branchOwned({ gitCommonDir }: Checkout, branch: string): Refusal | null {
  const folder = join(gitCommonDir, branchLockName(branch));
  const { owner, state } = readOwner(folder);
  if (state !== "live" || owner === null) return null;
  return toRefusal({ kind: "owned", owner, isCertain: true, file: folder });
}

function toCreated(at: {
  checkout: Checkout;
  plan: Plan;
  base: Base;
  branch: string;
  told: readonly string[];
  before: RunCreated["completedBefore"];
  worktreeRoot: string;
}): RunCreated {
  const runId = newRunId();
  return {
    kind: "run-created",
    runId,
    slug: at.plan.slug,
    planFile: at.plan.shownFile,
    prd: at.plan.prd,
    prdHash: hashPrd(at.plan.prd),
    checkout: at.checkout.topLevel,
    worktrees: join(at.worktreeRoot, `${at.plan.slug}-${runId}`),
    branch: at.branch,
    base: at.base.sha,
    baseName: at.base.name,
    completedBefore: at.before,
    told: at.told,
  };
}

function newRunId(): RunId {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  return `${time}-${randomBytes(3).toString("hex")}` as RunId; // unique by time and chance
}

/** The plan is read from the working tree: it is part of the run as it is. */
function tellDirty(checkout: Checkout, plan: string): readonly string[] {
  const isPlan = checkout.uncommitted.includes(plan);
  const count = checkout.uncommittedCount - (isPlan ? 1 : 0);
  if (count === 0) return [];
  const shown = checkout.uncommitted
    .filter((path) => path !== plan)
    .slice(0, 5)
    .join(", ");
  return [
    `${count} uncommitted path(s) in the main checkout are not part of the run: ${shown}${count > 5 ? ", …" : ""}`,
  ];
}

async function begin(at: NewRun, listener: StartListener): Promise<RunEnded> {
  const { checkout, created, earlier } = at;
  const refusedBy = (hint: string): RunEnded => ({
    kind: "refused",
    refusal: refuse([problem({ file: earlier.folder, expected: "a run folder that can be made", hint })], 3),
  });
  if (earlier.hasJournal && !isStillborn(earlier)) {
    const state = readRunState(earlier.folder);
    const runId = state.ok ? state.value.runId : ("damaged" as RunId); // only part of the archive's name
    const archived = archiveRun({ checkout: checkout.topLevel, slug: created.slug, runId });
    if (!archived.ok) return refusedBy(describe(archived.failure));
  }
  const folder = await createRunFolder({
    checkout: checkout.topLevel,
    slug: created.slug,
    isIgnored: (name) => isIgnored(checkout, name),
  });
  if (!folder.ok) return refusedBy(describe(folder.failure));
  const place = toPlace(at, folder.value);
  const locks = await takeLocks(place);
  if (!locks.ok) return { kind: "refused", refusal: locks.failure };
  const discarded = discardEmptyJournal({ folder: folder.value });
  if (!discarded.ok) {
    locks.value.release();
    return refusedBy(describe(discarded.failure));
  }
  const sandbox = await chooseSandbox(at.policy);
  return work({
    ...listener,
    place,
    locks: locks.value,
    isNew: true,
    sandbox,
    mode: "run",
    toOpening: ({ token }) => opening(toOpeningEvents(at, token, sandbox)),
  });
}

function toPlace({ checkout, created, worktreeRoot }: NewRun, folder: string): SessionPlace {
  return {
    slug: created.slug,
    runId: created.runId,
    runFolder: folder,
    checkout: checkout.topLevel,
    gitCommonDir: checkout.gitCommonDir,
    worktreeRoot,
    branch: created.branch,
    taskIds: created.prd.tasks.map(({ id }) => id),
  };
}

function toOpeningEvents(at: NewRun, token: string, sandbox: SandboxChoice): readonly RunEvent[] {
  const { policy, flags } = at;
  const told = [tellSandbox(sandbox)];
  return [at.created, toSessionStarted({ token, policy, flags, extraAttempts: 0, told }), preflightEnded];
}
