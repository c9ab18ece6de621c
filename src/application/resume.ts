// `resume`: continues a run that was paused, blocked, failed or killed.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type Checkout, inspectCheckout } from "../adapters/git/inspect.ts";
import type { FoundRun } from "../adapters/run-folder.ts";
import type { Policy } from "../core/policy.ts";
import { failed, type Result, success } from "../core/result.ts";
import type { RunState } from "../core/state.ts";
import type { PolicyFlags } from "../schema/config.ts";
import { hashPrd } from "../schema/prd-hash.ts";
import { checkoutRefusal } from "./checkout-refusal.ts";
import { refuseInsideAgent } from "./inside-agent.ts";
import { findRun, readPlan } from "./locate.ts";
import { planChanges } from "./plan-changes.ts";
import { findResumedPolicy } from "./policy.ts";
import { findProblems, worktreeRootOf } from "./preflight.ts";
import { readRunState } from "./read-run.ts";
import { problem, type Refusal, refuse } from "./refusal.ts";
import type { RunEnded, StartListener } from "./run-handle.ts";
import { type SessionPlace, takeLocks } from "./session.ts";
import { fromFlagsRecord, toSessionStarted } from "./session-started.ts";
import { opening, refusedOpening, work } from "./work.ts";

export interface ResumeOptions {
  readonly slug: string;
  readonly cwd?: string;
  readonly flags?: PolicyFlags;
  /** Grants every task this many attempts more. */
  readonly attempts?: number;
}

export async function resumeRun(options: ResumeOptions, listener: StartListener): Promise<RunEnded> {
  const inside = refuseInsideAgent();
  if (inside !== null) return { kind: "refused", refusal: inside };
  const checkout = await inspectCheckout(options.cwd ?? process.cwd());
  if (!checkout.ok) return { kind: "refused", refusal: checkoutRefusal(checkout.failure) };
  const run = findRun({ checkout: checkout.value.topLevel, slug: options.slug });
  if (!run.ok) return { kind: "refused", refusal: run.failure };
  const { flags = {}, attempts = 0 } = options;
  return continueRun({ checkout: checkout.value, run: run.value, flags, extraAttempts: attempts }, listener);
}

interface Continuation {
  readonly checkout: Checkout;
  readonly run: FoundRun;
  readonly flags: PolicyFlags;
  readonly extraAttempts: number;
}

export async function continueRun(at: Continuation, listener: StartListener): Promise<RunEnded> {
  const known = readRunState(at.run.folder);
  if (!known.ok) return { kind: "refused", refusal: known.failure };
  if (known.value.phase.kind === "completed") return { kind: "already completed", state: known.value };
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
  const { policy, flags, told } = prepared.value;
  return work({
    ...listener,
    place,
    locks: locks.value,
    isNew: false,
    mode: "run",
    toOpening: ({ state, token }) =>
      state === null
        ? refusedOpening(nothingBegun(at.run))
        : opening([toSessionStarted({ token, policy, flags, told, extraAttempts: at.extraAttempts })]),
  });
}

/** The place of a run that exists, as its journal says. */
export function toPlace(at: { checkout: Checkout; run: FoundRun }, state: RunState): SessionPlace {
  const { checkout, run } = at;
  const main = checkout.mainWorktree ?? checkout.topLevel;
  return {
    slug: state.slug,
    runId: state.runId,
    runFolder: run.folder,
    checkout: checkout.topLevel,
    gitCommonDir: checkout.gitCommonDir,
    worktreeRoot:
      state.policy === null ? worktreeRootOf(main, { worktreeRoot: "" }) : worktreeRootOf(main, state.policy),
    branch: state.branch,
  };
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

async function prepare(
  at: Continuation,
  state: RunState,
): Promise<Result<{ policy: Policy; flags: PolicyFlags; told: readonly string[] }, Refusal>> {
  const { checkout } = at;
  const changes = checkPlan(checkout, state);
  if (!changes.ok) return changes;
  const flags = { ...fromFlagsRecord(state.flags), ...withoutUndefined(at.flags) };
  const found =
    state.policy === null
      ? failed(nothingBegun(at.run))
      : findResumedPolicy(checkout.topLevel, state.policy, flags);
  if (!found.ok) return found;
  const { policy, hasNamedGates } = found.value;
  const main = checkout.mainWorktree ?? checkout.topLevel;
  const problems = await findProblems({
    checkout: checkout.topLevel,
    mainWorktree: main,
    worktreeRoot: worktreeRootOf(main, policy),
    policy,
    hasNamedGates: hasNamedGates || policy.gates.length > 0,
    prd: state.prd,
  });
  if (problems.length > 0) return failed(refuse(problems));
  const told = [...changes.value, ...found.value.told, ...tellChanged(state.policy, policy)];
  return success({ policy, flags, told });
}

/** A plan that was edited since the run began is refused with what changed; one that is gone is told. */
function checkPlan(checkout: Checkout, state: RunState): Result<readonly string[], Refusal> {
  const file = resolve(checkout.topLevel, state.planFile);
  if (!existsSync(file))
    return success([`the plan ${state.planFile} is not there any more; the recorded one holds`]);
  const plan = readPlan({ checkout: checkout.topLevel, cwd: checkout.topLevel, plan: file });
  if (!plan.ok) return plan;
  if (hashPrd(plan.value.prd) === state.prdHash) return success([]);
  const problems = planChanges(state.prd, plan.value.prd).map((change) =>
    problem({
      file: state.planFile,
      path: change.path,
      value: change.what,
      expected: "the plan as it was when the run began",
      hint: `put it back, or end this run ("execute-prd cancel ${state.slug}") and start another with --fresh`,
    }),
  );
  return failed(refuse(problems));
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
