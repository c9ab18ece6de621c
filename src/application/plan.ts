// `validate` and `plan`: what a PRD says, and what a run of it would do; neither changes anything.

import { resolve } from "node:path";
import { inspectCheckout } from "../adapters/git/inspect.ts";
import { criticalPath, toOrder, toWaves } from "../core/graph.ts";
import { agentKeyFor } from "../core/policy.ts";
import type { Prd } from "../core/prd.ts";
import { failed, type Result, success } from "../core/result.ts";
import type { PolicyFlags } from "../schema/config.ts";
import { checkoutRefusal } from "./checkout-refusal.ts";
import { type Claims, judgeClaims } from "./claims.ts";
import { type Estimate, estimateRun } from "./estimate.ts";
import { readPlan } from "./locate.ts";
import { tellMissing } from "./missing-files.ts";
import { findPolicy } from "./policy.ts";
import { findUnknownNames } from "./preflight.ts";
import { type Refusal, refuse } from "./refusal.ts";
import { statusOfAll } from "./status.ts";

export interface Validated {
  readonly slug: string;
  readonly file: string;
  readonly name: string;
  readonly goal: string;
  readonly tasks: readonly {
    readonly id: string;
    readonly title: string;
    readonly dependsOn: readonly string[];
  }[];
  /** What was read as something else, or looks misspelt. */
  readonly told: readonly string[];
}

export async function validatePlan(at: { plan: string; cwd?: string }): Promise<Result<Validated, Refusal>> {
  const place = await placeOf(at.cwd ?? process.cwd());
  if (!place.ok) return place;
  const { folder, told: toldOfPlace } = place.value;
  const plan = readPlan({ checkout: folder, cwd: at.cwd ?? process.cwd(), plan: at.plan });
  if (!plan.ok) return plan;
  const { slug, shownFile, prd, told } = plan.value;
  return success({
    slug,
    file: shownFile,
    name: prd.name,
    goal: prd.goal,
    tasks: prd.tasks.map(({ id, title, dependsOn }) => ({ id, title, dependsOn })),
    told: [...told, ...tellMissing(folder, prd), ...toldOfPlace],
  });
}

/** A plan can be checked where no run can be started; that none can is told. */
async function placeOf(cwd: string): Promise<Result<{ folder: string; told: readonly string[] }, Refusal>> {
  const checkout = await inspectCheckout(cwd);
  if (checkout.ok) return success({ folder: checkout.value.topLevel, told: [] });
  const refusal = checkoutRefusal(checkout.failure);
  if (checkout.failure.kind === "no-folder") return failed(refusal);
  const expected = refusal.problems.map((each) => each.expected).join("; ");
  return success({ folder: resolve(cwd), told: [`no run can be started here: it needs ${expected}`] });
}

export interface DryRun extends Validated {
  readonly branch: string;
  readonly base: string;
  /** One task after another, as with concurrency 1. */
  readonly order: readonly string[];
  /** Tasks that may go at the same time, in order; one after another within a wave when concurrency is 1. */
  readonly waves: readonly (readonly string[])[];
  /** The longest chain of tasks that wait for one another. */
  readonly criticalPath: readonly string[];
  readonly setup: string;
  readonly gates: readonly { readonly name: string; readonly command: string }[];
  readonly agents: { readonly developer: string; readonly reviewer: string; readonly orchestrator: string };
  readonly estimate: Estimate;
}

export async function planRun(at: {
  plan: string;
  cwd?: string;
  flags?: PolicyFlags;
}): Promise<Result<DryRun, Refusal>> {
  const read = await readFrom(at);
  if (!read.ok) return read;
  const validated = await validatePlan(at);
  if (!validated.ok) return validated;
  const { checkout, plan } = read.value;
  const found = await findPolicy(checkout.topLevel, at.flags ?? {});
  if (!found.ok) return found;
  const { policy } = found.value;
  const unknown = findUnknownNames({ policy, prd: plan.prd, planFile: plan.shownFile });
  if (unknown.length > 0) return failed(refuse(unknown));
  const claims = await judgeClaims(checkout, { prd: plan.prd, base: checkout.head, redo: false });
  const left = withoutCompleted(plan.prd, claims);
  const earlier = await statusOfAll({ cwd: checkout.topLevel });
  return success({
    ...validated.value,
    told: [...validated.value.told, ...found.value.told, ...claims.told],
    branch: plan.prd.branchName ?? `feature/${plan.slug}`,
    base: checkout.branch ?? checkout.head,
    order: toOrder(left),
    waves: toWaves(left),
    criticalPath: criticalPath(left),
    setup: policy.setup,
    gates: policy.gates.map(({ name, command }) => ({ name, command })),
    agents: {
      developer: agentKeyFor(policy, "developer", null),
      reviewer: agentKeyFor(policy, "reviewer", null),
      orchestrator: agentKeyFor(policy, "orchestrator", null),
    },
    estimate: estimateRun(policy, {
      tasks: plan.prd.tasks.length,
      left: left.tasks.length,
      earlier: earlier.ok ? earlier.value : [],
    }),
  });
}

/** What a run would still work on: a task that was complete before keeps nothing waiting. */
function withoutCompleted(prd: Prd, { completed }: Claims): Prd {
  const done = new Set(completed.map(({ taskId }) => taskId));
  const tasks = prd.tasks
    .filter(({ id }) => !done.has(id))
    .map((task) => ({ ...task, dependsOn: task.dependsOn.filter((id) => !done.has(id)) }));
  return { ...prd, tasks };
}

async function readFrom(at: { plan: string; cwd?: string }) {
  const cwd = at.cwd ?? process.cwd();
  const checkout = await inspectCheckout(cwd);
  if (!checkout.ok) return failed(checkoutRefusal(checkout.failure));
  const plan = readPlan({ checkout: checkout.value.topLevel, cwd, plan: at.plan });
  return plan.ok ? success({ checkout: checkout.value, plan: plan.value }) : plan;
}
