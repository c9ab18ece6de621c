// Dying between any two appends, before or after each, and going on gives what a run without a death gives.
import { describe, expect, it } from "vitest";
import type { RunState } from "../../src/core/state.ts";
import { answered, honest, iterate, passed, play } from "./play.ts";
import { type AgentScript, Crash, toPolicy, toPrd, toTask, World } from "./world.ts";

const prd = toPrd([toTask("a"), toTask("b"), toTask("c", { acceptanceCriteria: ["one", "two"] })]);
const policy = toPolicy({ precheck: "on", recon: "on", preMortem: "on" });

/** Answers by what it is told and shown, never by how often it was asked: an interrupted dispatch changes nothing. */
const steady: AgentScript = (at) => {
  const { request, work } = at;
  if (request.stage === "develop") {
    const file = `${request.taskId}.txt`;
    const isSentBack = request.request["feedback"] !== undefined;
    work.set(file, needsTwo.has(request.taskId ?? "") ? (isSentBack ? "second" : "first") : "only");
    return answered({ stage: "develop", summary: "did it", reflection: "fine", signals: [], question: null });
  }
  if (request.stage === "review" && request.taskId === "b") {
    return work.get("b.txt") === "second" ? honest(at) : iterate(40, "b needs more");
  }
  if (request.stage === "holistic-review") {
    const isWhole = request.taskIds.some((id) => id.startsWith("follow-up"));
    const followUps = [{ title: "More", description: "add more", acceptanceCriteria: ["more"] }];
    const gaps = {
      stage: "holistic-review",
      verdict: "gaps",
      summary: "more",
      followUps,
      learnings: [],
    } as const;
    return isWhole ? passed() : answered(gaps);
  }
  return honest(at);
};

/** Sent back once by a gate, and once by the reviewer. */
const needsTwo = new Set(["a", "b"]);

/** The reviewer of b and the developer of c are limited until a fixed hour, far behind the work before them. */
const limitEnds = Date.UTC(2026, 0, 1, 15);

function newWorld(): World {
  const world: World = new World((at) => {
    const { agentKey: agent, stage, taskId } = at.request;
    const isLimited = (stage === "review" && taskId === "b") || (stage === "develop" && taskId === "c");
    if (!isLimited || world.nowMs >= limitEnds) return steady(at);
    const failure = { reason: "rate-limited", agent, resetAtMs: limitEnds, detail: "until three" } as const;
    return { kind: "failed", failure };
  });
  world.gate = ({ tree }) => (tree.get("a.txt") === "first" ? "failed" : "passed");
  return world;
}

interface Outcome {
  readonly tasks: readonly string[];
  readonly commits: readonly string[];
  readonly files: readonly (readonly [string, string])[];
  readonly counted: readonly number[];
}

function outcomeOf(world: World, state: RunState): Outcome {
  const commits: string[] = [];
  for (let at = world.git.commits.get(state.head); at !== undefined && at.sha !== world.base; ) {
    commits.unshift(at.message.replace(/PRD-Attempt: \d+/, "PRD-Attempt: n"));
    at = at.parent === null ? undefined : world.git.commits.get(at.parent);
  }
  const files = [...world.git.treeOf(state.head)].filter(([path]) => !path.startsWith("memory/")).sort();
  return {
    tasks: [...state.tasks].map(({ task, phase }) => `${task.id} ${phase.kind}`),
    commits,
    files,
    counted: [...state.tasks].map(
      ({ attempts }) => attempts.filter(({ outcome }) => outcome?.kind !== "interrupted").length,
    ),
  };
}

async function playWithDeath(at: { seq: number; when: "before" | "after" }): Promise<Outcome> {
  const world = newWorld();
  const die = (seq: number): void => {
    if (seq === at.seq) throw new Crash();
  };
  if (at.when === "before") world.beforeAppend = die;
  else world.afterAppend = die;
  await expect(play(world, { prd, policy })).rejects.toThrow(Crash);
  world.beforeAppend = () => {};
  world.afterAppend = () => {};
  const state = await play(world, { prd, policy });
  expect(state.phase.kind).toBe("completed");
  return outcomeOf(world, state);
}

describe("a death between any two appends", () => {
  it("changes nothing but interrupted attempts (promise 3)", async () => {
    const calm = newWorld();
    const undisturbed = outcomeOf(calm, await play(calm, { prd, policy }));
    expect(undisturbed.tasks).toHaveLength(4);
    expect(calm.journal.some(({ event }) => event.kind === "wait-started")).toBe(true);
    const last = calm.journal.length;
    for (let seq = 2; seq < last; seq += 1) {
      for (const when of ["before", "after"] as const) {
        expect(await playWithDeath({ seq, when }), `a death ${when} append ${seq} of ${last}`).toEqual(
          undisturbed,
        );
      }
    }
  });
});
