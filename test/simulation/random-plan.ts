// Random plans and policies, by chance that can be repeated.

import type { TaskId } from "../../src/core/ids.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { Checkpoint, Prd, TaskType } from "../../src/core/prd.ts";
import type { Random } from "./random.ts";
import { toPolicy, toPrd, toTask } from "./world.ts";

const sizes = { small: [1, 3], middling: [4, 7], large: [8, 12] } as const;

export function randomPrd(random: Random): Prd {
  // What goes wrong goes wrong in small plans as well, and those are played fast.
  const [least, most] = sizes[random.weighted({ small: 8, middling: 2, large: 0.5 })];
  const count = random.int(least, most);
  const ids = Array.from({ length: count }, (_none, index) => `t${index + 1}` as TaskId);
  const edges = random.pick([0, 0.15, 0.4]);
  // Dependencies point backwards in a shuffled order, so that the plan's order is not an order of work.
  const order = ids.map((id) => ({ id, at: random.next() })).sort((a, b) => a.at - b.at);
  const tasks = order.map(({ id }, index) =>
    toTask(id, {
      dependsOn: order.slice(0, index).flatMap((other) => (random.chance(edges) ? [other.id] : [])),
      priority: random.chance(0.3) ? random.int(-2, 2) : null,
      type: random.weighted<TaskType>({
        auto: 20,
        "checkpoint:human-verify": 2,
        "checkpoint:decision": 1,
        "checkpoint:human-action": 1,
      }),
      checkpoint: random.chance(0.2) ? randomCheckpoint(random) : null,
      gates: random.chance(0.2) ? random.pick([["tests"], ["lint"], []]) : null,
      agent: random.chance(0.1) ? "second" : null,
      allowNoChanges: random.chance(0.2),
    }),
  );
  return toPrd(random.chance(0.5) ? tasks : tasks.sort((a, b) => (a.id < b.id ? -1 : 1)));
}

/** Some answer themselves, sooner or later; one that never approves would send its task back for ever. */
function randomCheckpoint(random: Random): Checkpoint {
  return {
    message: "",
    actions: [],
    defaultAction: "approve",
    timeoutMs: random.pick([0, 1, 60_000, 3_600_000]),
  };
}

export function randomPolicy(random: Random, concurrency: number): Policy {
  const base = toPolicy();
  const [tests] = base.gates;
  const [developer] = Object.values(base.agents);
  if (tests === undefined || developer === undefined) throw new Error("the policy has agents and gates");
  const stage = (): "auto" | "on" | "off" => random.pick(["auto", "on", "off"]);
  return toPolicy({
    agents: random.chance(0.3)
      ? { ...base.agents, developer: { ...developer, fallback: "second" } }
      : base.agents,
    gates: random.pick([[], [tests], [tests, { ...tests, name: "lint" }]]),
    concurrency,
    maxAttempts: random.int(1, 4),
    review: { enabled: random.chance(0.9), passScore: 80 },
    onInterrupted: random.pick(["continue", "clean"]),
    onTaskFailure: random.chance(0.05) ? "stop" : "continue",
    precheck: stage(),
    recon: stage(),
    preMortem: random.pick(["auto", "on", "off", "approve"]),
    memory: { enabled: random.chance(0.8), dir: "memory" },
    yes: random.chance(0.3),
    only: random.chance(0.1) ? ["t1", "t2"] : null,
  });
}

/** What a builder raises and switches to get a run to its end. */
export function calmed(policy: Policy): Policy {
  return {
    ...policy,
    only: null,
    maxAttempts: policy.maxAttempts + 2,
    budget: { ...policy.budget, maxDispatches: 100_000, wallClockMs: 0 },
  };
}
