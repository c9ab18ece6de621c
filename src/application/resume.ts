// `resume`: continues a run that was paused, blocked, failed or killed.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Checkout, inspectCheckout } from "../adapters/git/inspect.ts";
import type { FoundRun } from "../adapters/run-folder.ts";
import type { RunEvent } from "../core/event.ts";
import type { Policy } from "../core/policy.ts";
import { type Prd, withoutProgress } from "../core/prd.ts";
import { failed, type Result, success } from "../core/result.ts";
import type { RunState } from "../core/state.ts";
import type { PolicyFlags } from "../schema/config.ts";
import { hashPrd } from "../schema/prd-hash.ts";
import type { InputProblem } from "../schema/problem.ts";
import { toReport } from "../views/report.ts";
import { toStatusJson } from "../views/status-json.ts";
import { checkoutRefusal } from "./checkout-refusal.ts";
import { findRun } from "./find-run.ts";
import { refuseInsideAgent } from "./inside-agent.ts";
import { readPlan } from "./locate.ts";
import { type NewRunOptions, refuseFresh, tellNewRunOptions } from "./new-run-options.ts";
import { type PlanChange, planChanges } from "./plan-changes.ts";
import { findPolicy, findResumedPolicy } from "./policy.ts";
import { findProblems, refuseFor, worktreeRootOf } from "./preflight.ts";
import { readRunState } from "./read-run.ts";
import { programRedaction } from "./redaction.ts";
import { problem, type Refusal, refuse } from "./refusal.ts";
import type { RunEnded, StartListener } from "./run-handle.ts";
import { chooseSandbox, noSandbox, type SandboxChoice, tellSandbox } from "./sandbox.ts";
import { type SessionPlace, takeLocks, toRefusal } from "./session.ts";
import { fromFlagsRecord, preflightEnded, toSessionStarted } from "./session-started.ts";
import { opening, refusedOpening, work } from "./work.ts";

export interface ResumeOptions extends NewRunOptions {
  readonly slug: string;
  readonly cwd?: string;
  readonly flags?: PolicyFlags;
  /** Grants every task this many attempts more. */
  readonly attempts?: number;
  /** Takes a plan that was edited since the run began; without it such a plan is refused. */
  readonly acceptChanges?: boolean;
}

export async function resumeRun(options: ResumeOptions, listener: StartListener): Promise<RunEnded> {
  const inside = refuseInsideAgent();
  if (inside !== null) return { kind: "refused", refusal: inside };
  const checkout = await inspectCheckout(options.cwd ?? process.cwd());
  if (!checkout.ok) return { kind: "refused", refusal: checkoutRefusal(checkout.failure) };
  const run = findRun({ checkout: checkout.value.topLevel, slug: options.slug });
  if (!run.ok) return { kind: "refused", refusal: run.failure };
  const fresh = refuseFresh(options, options.slug);
  if (fresh !== null) return { kind: "refused", refusal: fresh };
  tellNewRunOptions(options, listener);
  const { flags = {}, attempts = 0, acceptChanges = false } = options;
  return continueRun(
    { checkout: checkout.value, run: run.value, flags, extraAttempts: attempts, acceptChanges },
    listener,
  );
}

interface Continuation {
  readonly checkout: Checkout;
  readonly run: FoundRun;
  readonly flags: PolicyFlags;
  readonly extraAttempts: number;
  readonly acceptChanges: boolean;
}

export async function continueRun(at: Continuation, listener: StartListener): Promise<RunEnded> {
  const known = readRunState(at.run.folder);
  if (!known.ok) return { kind: "refused", refusal: ownedBy(at.run) ?? known.failure };
  if (known.value.phase.kind === "completed") return finishCompleted(at, known.value, listener);
  const place = toPlace(at, known.value);
  const locks = await takeLocks(place);
  if (!locks.ok) return { kind: "refused", refusal: locks.failure };
  let prepared: Awaited<ReturnType<typeof prepare>>;
  try {
    prepared = await prepare(at, known.value);
  } catch (error) {
    locks.value.release();
    throw error;
  }
  if (!prepared.ok) {
    locks.value.release();
    return { kind: "refused", refusal: prepared.failure };
  }
  const { policy, flags, told, planChanged, sandbox } = prepared.value;
  return work({
    ...listener,
    place,
    locks: locks.value,
    isNew: false,
    sandbox,
    mode: "run",
    toOpening: ({ state, token }) =>
      state === null
        ? refusedOpening(nothingBegun(at.run))
        : opening([
            ...planChanged,
            toSessionStarted({ token, policy, flags, told, extraAttempts: at.extraAttempts }),
            ...(state.stages.has("preflight") ? [] : [preflightEnded]), // killed in its first words
          ]),
  });
}

/** A live owner that has only just begun: what it has not written yet, or holds already, is no fault of anything. */
export function ownedBy({ folder, ownership }: FoundRun): Refusal | null {
  const { owner, state } = ownership;
  return state === "live" && owner !== null
    ? toRefusal({ kind: "owned", owner, isCertain: true, file: folder })
    : null;
}

/** Nothing is left to do, but when the program ended between its last event and the files that tell of it. */
async function finishCompleted(
  at: Continuation,
  state: RunState,
  listener: StartListener,
): Promise<RunEnded> {
  const isClosed = at.run.ownership.state !== "gone" && isToldOf(at.run.folder, state);
  if (isClosed) return { kind: "already completed", state };
  const place = toPlace(at, state);
  const locks = await takeLocks(place);
  if (!locks.ok) return { kind: "refused", refusal: locks.failure };
  const ended = await work({
    ...listener,
    place,
    locks: locks.value,
    isNew: false,
    sandbox: noSandbox,
    mode: "settle",
    toOpening: () => opening([]),
  });
  return ended.kind === "stopped" ? { kind: "already completed", state: ended.state } : ended;
}

/** The first and the last of the files that follow the last event. */
function isToldOf(folder: string, state: RunState): boolean {
  return [
    { name: "status.json", text: toStatusJson(state) },
    { name: "report.md", text: toReport(state) },
  ].every(
    ({ name, text }) => existsSync(join(folder, name)) && readFileSync(join(folder, name), "utf8") === text,
  );
}

/** The place of a run that exists, as its journal says. */
export function toPlace(at: { checkout: Checkout; run: FoundRun }, state: RunState): SessionPlace {
  return {
    slug: state.slug,
    runId: state.runId,
    runFolder: at.run.folder,
    checkout: at.checkout.topLevel,
    gitCommonDir: at.checkout.gitCommonDir,
    worktreeRoot: worktreeRootNow(at.checkout, state),
    branch: state.branch,
    taskIds: [...state.tasks].map(({ task }) => task.id),
  };
}

/** Where the run's trees are; where they are no more, they may have been moved with the checkout. */
function worktreeRootNow({ mainWorktree, topLevel }: Checkout, state: RunState): string {
  if (existsSync(state.worktrees) || state.policy === null) return dirname(state.worktrees);
  return worktreeRootOf(mainWorktree ?? topLevel, state.policy);
}

function nothingBegun(run: FoundRun): Refusal {
  return refuse(
    [
      problem({
        file: run.folder,
        expected: "a journal with a first event",
        hint: "start again with --fresh",
      }),
    ],
    1,
  );
}

interface Prepared {
  readonly policy: Policy;
  readonly flags: PolicyFlags;
  readonly told: readonly string[];
  readonly planChanged: readonly RunEvent[];
  readonly sandbox: SandboxChoice;
}

async function prepare(at: Continuation, state: RunState): Promise<Result<Prepared, Refusal>> {
  const { checkout } = at;
  const plan = checkPlan(at, state);
  if (!plan.ok) return plan;
  const recorded = { ...fromFlagsRecord(state.flags), ...recordedOnly(state) };
  const flags = { ...recorded, ...withoutUndefined(at.flags) };
  const found =
    state.policy === null
      ? await findPolicy(checkout.topLevel, flags) // killed before the first session was recorded
      : await findResumedPolicy(checkout.topLevel, state.policy, flags);
  if (!found.ok) return found;
  const { policy, hasNamedGates } = found.value;
  const problems = await findProblems({
    checkout: checkout.topLevel,
    mainWorktree: checkout.mainWorktree ?? checkout.topLevel,
    worktreeRoot: worktreeRootNow(checkout, state),
    policy,
    hasNamedGates: hasNamedGates || policy.gates.length > 0,
    prd: plan.value.prd,
    planFile: state.planFile,
  });
  if (problems.length > 0) return failed(refuseFor(problems));
  const sandbox = await chooseSandbox(policy);
  const changes = tellChanged(state.policy, policy);
  const told = [...plan.value.told, ...found.value.told, ...changes, tellSandbox(sandbox)];
  return success({ policy, flags, told, planChanged: plan.value.events, sandbox });
}

interface PlanCheck {
  readonly prd: Prd;
  readonly told: readonly string[];
  readonly events: readonly RunEvent[];
}

/** The selection holds until nothing of it is left to do. */
function recordedOnly({ phase, policy }: RunState): PolicyFlags {
  const only = policy?.only ?? null;
  const isDone = phase.kind === "paused" && phase.failure.reason === "nothing-selected";
  return only === null || isDone ? {} : { only };
}

/** An edited plan is refused with what changed, or taken by the builder's word; one that is gone is told. */
function checkPlan(at: Continuation, state: RunState): Result<PlanCheck, Refusal> {
  const { topLevel } = at.checkout;
  const file = resolve(topLevel, state.planFile);
  const same = { prd: state.prd, told: [], events: [] };
  if (!existsSync(file)) {
    return success({
      ...same,
      told: [`the plan ${state.planFile} is not there any more; the recorded one holds`],
    });
  }
  const plan = readPlan({ checkout: topLevel, cwd: topLevel, plan: file });
  if (!plan.ok) return plan;
  const { prd } = plan.value;
  const prdHash = hashPrd(prd);
  if (prdHash === state.prdHash) return success(same);
  const now = programRedaction().json(prd); // the recorded one is redacted
  const changes = planChanges(withoutProgress(state.prd), withoutProgress(now));
  if (!at.acceptChanges) return failed(refuse(changes.map((change) => toChangeProblem(state, change))));
  const words = changes.map(({ path, what }) => `${path} ${what}`);
  const event: RunEvent = { kind: "plan-changed", prd, prdHash, changes: words, by: "the builder" };
  return success({ prd, told: [], events: [event] });
}

function toChangeProblem(state: RunState, { path, what }: PlanChange): InputProblem {
  return problem({
    file: state.planFile,
    path,
    value: what,
    expected: "the plan as it was when the run began",
    hint: `take the changes with "execute-prd resume ${state.slug} --accept-changes", or put the plan back`,
  });
}

function tellChanged(before: Policy | null, after: Policy): readonly string[] {
  if (before === null) return [];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  const values = (policy: Policy): ReadonlyMap<string, string> =>
    new Map(Object.entries(policy).map(([key, value]) => [key, JSON.stringify(value)]));
  const [old, now] = [values(before), values(after)];
  const changed = [...keys].filter((key) => old.get(key) !== now.get(key) && key !== "only");
  return changed.length === 0
    ? []
    : [`the policy changed since the last start: ${changed.sort().join(", ")}`];
}

function withoutUndefined(flags: PolicyFlags): PolicyFlags {
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
}
