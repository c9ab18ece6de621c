import { describe, expect, it } from "vitest";
import type { RunEvent } from "../../src/core/event.ts";
import type { Failure } from "../../src/core/failure.ts";
import type { TaskId } from "../../src/core/ids.ts";
import type { AgentPolicy } from "../../src/core/policy.ts";
import { taskOf } from "../../src/core/state.ts";
import { createEngine } from "../../src/engine/engine.ts";
import {
  answered,
  approved,
  developed,
  honest,
  iterate,
  mostlyHonest,
  passed,
  play,
  settle,
} from "../simulation/play.ts";
import { runCreated, sessionStarted, toPolicy, toPrd, toTask, World } from "../simulation/world.ts";

const id = (text: string): TaskId => text as TaskId; // tests use valid ids

function phases(state: Awaited<ReturnType<typeof play>>): Record<string, string> {
  return Object.fromEntries([...state.tasks].map(({ task, phase }) => [task.id, phase.kind]));
}

const two = toPrd([toTask("a"), toTask("b", { dependsOn: [id("a")] })]);

describe("a run", () => {
  it("completes every task with one commit each on the branch, then remembers", async () => {
    const world = new World(honest);
    const state = await play(world, { prd: two, policy: toPolicy() });
    expect(state.phase).toEqual({ kind: "completed" });
    const head = world.git.refs.get("refs/heads/feature/demo");
    expect(head).toBe(state.head);
    const messages: string[] = [];
    for (
      let at = head;
      at !== undefined && at !== world.base;
      at = world.git.commits.get(at)?.parent ?? undefined
    ) {
      messages.unshift(world.git.commits.get(at)?.message.split("\n")[0] ?? "");
    }
    expect(messages).toEqual(["Title of a", "Title of b", "Remember what demo taught"]);
    expect(world.git.refs.get("refs/heads/main")).toBe(world.base);
  });

  it("sends work back with the gate's output and carries the rejected tree on", async () => {
    const seen: unknown[] = [];
    const world = new World(({ request, work, signal }) => {
      if (request.stage === "develop" && request.taskId === "a" && request.attempt === 2) {
        seen.push(request.request["feedback"], work.get("a.txt"));
      }
      return honest({ request, work, signal });
    });
    world.gate = ({ tree }) => (tree.get("a.txt") === "a by attempt 1" ? "failed" : "passed");
    const state = await play(world, { prd: toPrd([toTask("a")]), policy: toPolicy() });
    expect(state.phase.kind).toBe("completed");
    expect(seen[1]).toBe("a by attempt 1");
    expect(JSON.stringify(seen[0])).toContain("tests said no");
    expect(taskOf(state, id("a"))?.attempts.map(({ outcome }) => outcome?.kind)).toEqual([
      "rejected",
      "accepted",
    ]);
  });

  it("tells each role its own words: in the prompt, or apart from it where the backend has a way for it", async () => {
    const policy = toPolicy();
    const told = (backend: "command" | "codex", instructions: string) => {
      return { ...policy.agents["developer"], backend, instructions } as AgentPolicy; // toPolicy has a developer
    };
    const agents = {
      ...policy.agents,
      developer: told("codex", "Use tabs."),
      reviewer: told("command", "Look at tabs."),
    };
    const seen = new Map<string, { readonly isInPrompt: boolean; readonly told: string }>();
    const world = new World((at) => {
      const { stage, prompt, agent } = at.request;
      seen.set(stage, { isInPrompt: prompt.includes("tabs."), told: agent.instructions });
      return honest(at);
    });
    await play(world, { prd: toPrd([toTask("a")]), policy: { ...policy, agents } });
    expect(seen.get("develop")).toEqual({ isInPrompt: false, told: "Use tabs." });
    expect(seen.get("review")).toEqual({ isInPrompt: true, told: "Look at tabs." });
  });

  it("says what a dispatch may still cost, for a run whose agents are metered", async () => {
    const seen: unknown[] = [];
    const world = new World((at) => {
      seen.push(at.request.metering);
      return honest(at);
    });
    const prd = toPrd([toTask("a")]);
    const budget = { ...toPolicy().budget, usd: 7, perTaskUsd: 3 };
    await play(world, { prd, policy: toPolicy({ meteringProxy: true, budget, prices: {} }) });
    const ofTask = { prices: {}, limitUsd: 7, task: { id: "a", limitUsd: 3 } };
    expect(seen).toMatchObject([ofTask, ofTask, { ...ofTask, task: null }]);
    seen.length = 0;
    await play(new World(world.agent), { prd, policy: toPolicy() });
    expect(new Set(seen)).toEqual(new Set([null]));
  });

  it("says in prd.json and execution.log.json what is going on, though nothing more happens for long", async () => {
    const world = new World(async (at) => {
      if (at.request.stage !== "develop") return honest(at);
      for (let turn = 0; turn < 1_000 && !saysWorking(); turn += 1) await new Promise(setImmediate);
      seen.push(saysWorking());
      return honest(at);
    });
    world.beforeAppend = () => {
      world.nowMs -= 1_000; // all of it happens within one second
    };
    const seen: boolean[] = [];
    const saysWorking = () => {
      const prd = world.files.get("prd.json") ?? "";
      const log = world.files.get("execution.log.json") ?? "";
      return prd.includes('"in_progress"') && log.includes('"baseline"');
    };
    await play(world, { prd: toPrd([toTask("a")]), policy: toPolicy() });
    expect(seen).toEqual([true]);
  });

  it("never integrates what the review did not approve, whatever the developer says", async () => {
    const world = new World(
      mostlyHonest(({ request, work }) => {
        if (request.stage === "develop") work.set("a.txt", `version ${request.attempt}`);
        if (request.stage === "develop") return developed();
        return request.stage === "review" ? iterate(10 * request.attempt, "no good") : null;
      }),
    );
    const state = await play(world, { prd: toPrd([toTask("a")]), policy: toPolicy() });
    expect(state.phase.kind).toBe("blocked");
    expect(world.git.refs.get("refs/heads/feature/demo")).toBe(world.base);
    expect(taskOf(state, id("a"))?.attempts).toHaveLength(3);
  });

  it.each([
    ["an approval under the pass score", approved(79)],
    [
      "an approval with a criterion not met",
      answered({
        stage: "review",
        verdict: "approved",
        score: 100,
        criteria: [{ index: 0, verdict: "not met", where: "a.txt" }],
        findings: [],
        justified: [],
      }),
    ],
  ])("takes %s for no approval", async (_name, review) => {
    const world = new World(mostlyHonest(({ request }) => (request.stage === "review" ? review : null)));
    const state = await play(world, { prd: toPrd([toTask("a")]), policy: toPolicy({ maxAttempts: 1 }) });
    expect(state.phase.kind).toBe("blocked");
  });

  it("blocks with the true first reason, leaves dependants unstarted and does the others", async () => {
    const prd = toPrd([toTask("a"), toTask("b", { dependsOn: [id("a")] }), toTask("c")]);
    const world = new World(honest);
    world.gate = ({ tree }) => (tree.has("a.txt") ? "failed" : "passed");
    const state = await play(world, { prd, policy: toPolicy({ maxAttempts: 2 }) });
    expect(phases(state)).toEqual({ a: "held", b: "pending", c: "complete" });
    expect(world.asked.some(({ taskId }) => taskId === "b")).toBe(false);
    expect(state.phase).toMatchObject({ kind: "blocked", failure: { reason: "tasks-held", first: "a" } });
    const status = JSON.parse(world.files.get("status.json") ?? "");
    expect(status).toMatchObject({ status: "blocked" });
    expect(status.reason).toContain("gates failed: tests");
  });

  it("asks a reviewer without a usable report once more, then blocks without costing an attempt", async () => {
    const world = new World(
      mostlyHonest(({ request }) =>
        request.stage === "review"
          ? { kind: "failed", failure: { reason: "report-missing", agent: "reviewer", stage: "review" } }
          : null,
      ),
    );
    const state = await play(world, { prd: toPrd([toTask("a")]), policy: toPolicy() });
    expect(world.asked.filter(({ stage }) => stage === "review")).toHaveLength(2);
    expect(state.phase).toMatchObject({
      kind: "blocked",
      failure: { because: { reason: "report-unusable-twice" } },
    });
    expect(taskOf(state, id("a"))?.attempts).toHaveLength(1);
  });

  it("waits for a service that is overloaded and for a limit to end, and no attempt is used up", async () => {
    const troubles: Failure[] = [
      { reason: "service-failed", agent: "developer", status: 529, detail: "busy" },
      { reason: "rate-limited", agent: "developer", resetAtMs: 0, detail: "5 hours" },
    ];
    const asked: number[] = [];
    const world: World = new World(
      mostlyHonest(({ request }) => {
        if (request.stage !== "develop") return null;
        asked.push(world.nowMs);
        const failure = troubles.shift();
        if (failure === undefined) return null;
        const resets = failure.reason === "rate-limited" && { resetAtMs: world.nowMs + 3_600_000 };
        return { kind: "failed", failure: { ...failure, ...resets } };
      }),
    );
    const policy = toPolicy({
      maxAttempts: 1,
      retry: { maxRetries: 1, backoffBaseMs: 9_000, backoffMaxMs: 9_000 },
    });
    const state = await play(world, { prd: toPrd([toTask("a")]), policy });
    expect(state.phase.kind).toBe("completed");
    expect((asked[2] ?? 0) - (asked[1] ?? 0)).toBeGreaterThanOrEqual(3_600_000);
    expect(JSON.parse(world.files.get("prd.json") ?? "").userStories[0].attemptCount).toBe(1);
    expect(world.journal.filter(({ event }) => event.kind === "wait-started")).toHaveLength(2);
  });

  it("records the wait of an agent that goes on by itself, and ends it for a pause", async () => {
    const failure: Failure = { reason: "rate-limited", agent: "developer", resetAtMs: null, detail: "429" };
    const world = new World(
      mostlyHonest(({ request, signal, onWait }) => {
        if (request.stage !== "develop" || request.attempt > 1) return null;
        onWait?.({ untilMs: world.nowMs + 3_600_000, failure });
        return new Promise((resolve) => {
          signal.addEventListener("abort", () => resolve({ kind: "interrupted" }));
        });
      }),
    );
    world.afterAppend = (_seq, event) => {
      if (event.kind === "wait-started") world.send({ kind: "pause", now: false, by: "me" });
    };
    const options = { prd: toPrd([toTask("a")]), policy: toPolicy() };
    const paused = await play(world, options);
    expect(paused.phase).toMatchObject({ kind: "paused", failure: { reason: "paused-by-builder" } });
    expect(paused.waits.get("developer")).toMatchObject({ dispatch: "d1" });
    const waitsUntilMs = paused.waits.get("developer")?.untilMs ?? 0;
    world.afterAppend = () => {};
    expect((await play(world, options)).phase.kind).toBe("completed");
    const second = world.journal.findLast(
      ({ event }) => event.kind === "dispatch-started" && event.stage === "develop",
    );
    expect(second?.atMs).toBeGreaterThanOrEqual(waitsUntilMs);
  });

  it("goes on when a wait ends between two looks at the clock", async () => {
    const failure: Failure = { reason: "service-failed", agent: "developer", status: 503, detail: "" };
    const world: World = new World(
      mostlyHonest(({ request }) =>
        request.stage === "develop" && request.attempt === 1 ? { kind: "failed", failure } : null,
      ),
    );
    const retries = { maxRetries: 3, backoffBaseMs: 20_000, backoffMaxMs: 20_000 };
    const policy = toPolicy({ retry: retries });
    const { clock, ...ports } = world.ports();
    const looks: number[] = [];
    world.afterAppend = (_seq, event) => {
      if (event.kind === "wait-started") looks.push(event.untilMs - 1, event.untilMs, event.untilMs);
    };
    const engine = createEngine({
      ports: {
        ...ports,
        // The plan is asked just before the end of the wait, the timer is set just after it.
        clock: { ...clock, nowMs: () => looks.shift() ?? clock.nowMs() },
      },
      state: null,
      opening: [runCreated(world, toPrd([toTask("a")])), sessionStarted(policy)],
      onEntry: () => {},
      onOutput: () => {},
    });
    const end = await engine.run();
    expect(end.state?.phase.kind).toBe("completed");
  });

  it("ends an agent that begins to wait after the pause was asked for", async () => {
    const failure: Failure = { reason: "service-failed", agent: "developer", status: 503, detail: "" };
    const world = new World(
      mostlyHonest(({ request, signal, onWait }) => {
        if (request.stage !== "develop") return null;
        world.send({ kind: "pause", now: false, by: "me" });
        setImmediate(() => onWait?.({ untilMs: world.nowMs + 60_000, failure }));
        return new Promise((resolve) => {
          signal.addEventListener("abort", () => resolve({ kind: "interrupted" }));
        });
      }),
    );
    const state = await play(world, { prd: toPrd([toTask("a")]), policy: toPolicy() });
    expect(state.phase.kind).toBe("paused");
  });

  it("feeds an attempt without a change back once and blocks at the second in a row", async () => {
    const world = new World(
      mostlyHonest(({ request }) => (request.stage === "develop" ? developed() : null)),
    );
    const state = await play(world, { prd: toPrd([toTask("a")]), policy: toPolicy({ maxAttempts: 9 }) });
    expect(taskOf(state, id("a"))?.attempts).toHaveLength(2);
    expect(state.phase).toMatchObject({ failure: { because: { reason: "stalled" } } });
  });

  it("accepts no change where the task allows it", async () => {
    const world = new World(
      mostlyHonest(({ request }) => (request.stage === "develop" ? developed() : null)),
    );
    const prd = toPrd([toTask("a", { allowNoChanges: true })]);
    expect((await play(world, { prd, policy: toPolicy() })).phase.kind).toBe("completed");
  });

  it("adds follow-ups of the holistic review as tasks and completes after the second look", async () => {
    let looks = 0;
    const world = new World(
      mostlyHonest(({ request }) => {
        if (request.stage !== "holistic-review") return null;
        looks += 1;
        const followUp = { title: "More", description: "add more", acceptanceCriteria: ["more"] };
        return looks > 1
          ? passed()
          : answered({
              stage: "holistic-review",
              verdict: "gaps",
              summary: "more",
              followUps: [followUp],
              learnings: [],
            });
      }),
    );
    const state = await play(world, { prd: two, policy: toPolicy() });
    expect(state.phase.kind).toBe("completed");
    expect(phases(state)).toEqual({ a: "complete", b: "complete", "follow-up-1-1": "complete" });
  });

  it("blocks when gaps are left after two rounds, and completes when the builder accepts them", async () => {
    const followUps = [{ title: "More", description: "", acceptanceCriteria: [] }];
    const gaps = answered({
      stage: "holistic-review",
      verdict: "gaps",
      summary: "gaps",
      followUps,
      learnings: [],
    });
    const world = new World(
      mostlyHonest(({ request }) => (request.stage === "holistic-review" ? gaps : null)),
    );
    const state = await play(world, { prd: two, policy: toPolicy() });
    expect(state.phase).toMatchObject({ kind: "blocked", failure: { reason: "gaps-left", rounds: 2 } });
    world.requests.push({
      kind: "answer",
      question: state.questions[0]?.id ?? "",
      text: "approve",
      by: "test",
    });
    await settle(world);
    const after = await play(world, { prd: two, policy: toPolicy() });
    expect(after.phase.kind).toBe("completed");
  });

  it("pauses at the end of the running stage and goes on by resume alone", async () => {
    const world = new World(honest);
    world.afterAppend = (_seq, event) => {
      if (event.kind === "gate-started" && event.taskId === "a")
        world.send({ kind: "pause", now: false, by: "test" });
    };
    const paused = await play(world, { prd: two, policy: toPolicy() });
    expect(paused.phase).toMatchObject({ kind: "paused" });
    expect(world.journal.at(-3)?.event.kind).toBe("gate-ended");
    world.afterAppend = () => {};
    expect((await play(world, { prd: two, policy: toPolicy() })).phase.kind).toBe("completed");
  });

  it("interrupts the agent on stop, keeps its tree and continues from it", async () => {
    const seen: (string | undefined)[] = [];
    const world = new World(honest);
    const policy = toPolicy();
    let stop: () => void = () => {};
    world.agent = ({ request, work, signal }) => {
      if (request.stage !== "develop") return honest({ request, work, signal });
      if (request.attempt === 2) {
        seen.push(work.get("half.txt"));
        return honest({ request, work, signal });
      }
      work.set("half.txt", "half done");
      return new Promise((resolve) => {
        signal.addEventListener("abort", () => resolve({ kind: "interrupted" }));
        stop();
      });
    };
    const prd = toPrd([toTask("a")]);
    const paused = await play(world, {
      prd,
      policy,
      onEngine: (engine) => {
        stop = () => engine.stop("SIGINT");
      },
    });
    expect(paused.phase).toMatchObject({ kind: "paused", failure: { by: "SIGINT" } });
    const done = await play(world, { prd, policy });
    expect(done.phase.kind).toBe("completed");
    expect(seen).toEqual(["half done"]);
    expect(taskOf(done, id("a"))?.attempts.map(({ outcome }) => outcome?.kind)).toEqual([
      "interrupted",
      "accepted",
    ]);
  });

  it("stops before the first task when a gate is red on the base, and goes on when it is dropped", async () => {
    const world = new World(honest);
    world.gate = () => "failed";
    const blocked = await play(world, { prd: two, policy: toPolicy() });
    expect(blocked.phase).toMatchObject({ kind: "blocked", failure: { reason: "gate-red-on-base" } });
    expect(world.asked).toEqual([]);
    world.requests.push({ kind: "answer", question: "baseline:tests", text: "drop", by: "test" });
    await settle(world);
    expect((await play(world, { prd: two, policy: toPolicy() })).phase.kind).toBe("completed");
  });

  it("hands a task that used up its attempts to the fallback once, and retry grants one more", async () => {
    const agents = toPolicy().agents;
    const developer = { ...agents["developer"], fallback: "second" } as NonNullable<(typeof agents)[string]>;
    const policy = toPolicy({ agents: { ...agents, developer }, maxAttempts: 1 });
    const world = new World(honest);
    world.gate = ({ tree }) =>
      tree.get("a.txt") === "a by attempt 3" || !tree.has("a.txt") ? "passed" : "failed";
    const prd = toPrd([toTask("a")]);
    const blocked = await play(world, { prd, policy });
    expect(taskOf(blocked, id("a"))?.attempts.map(({ agent }) => agent)).toEqual(["developer", "second"]);
    world.requests.push({ kind: "retry", taskId: id("a"), note: "mind the gap", by: "test" });
    await settle(world);
    const done = await play(world, { prd, policy });
    expect(done.phase.kind).toBe("completed");
  });

  it("completes around a task that the builder skips and names it", async () => {
    const world = new World(honest);
    world.gate = ({ tree }) => (tree.has("a.txt") ? "failed" : "passed");
    const policy = toPolicy({ maxAttempts: 1 });
    await play(world, { prd: two, policy });
    world.requests.push({ kind: "skip", taskId: id("a"), why: "not needed", by: "test" });
    await settle(world);
    const done = await play(world, { prd: two, policy });
    expect(phases(done)).toEqual({ a: "skipped", b: "complete" });
    expect(done.phase.kind).toBe("completed");
  });

  it("adopts commits put on its branch while it was stopped, refuses a rewound branch", async () => {
    const world = new World(honest);
    world.gate = ({ tree }) => (tree.has("b.txt") ? "failed" : "passed");
    const policy = toPolicy({ maxAttempts: 1 });
    const blocked = await play(world, { prd: two, policy });
    const foreign = world.git.commit({
      tree: new Map([...world.git.treeOf(blocked.head), ["builder.txt", "mine"]]),
      parent: blocked.head,
      message: "mine",
      atMs: 5,
    });
    world.git.refs.set("refs/heads/feature/demo", foreign);
    world.gate = () => "passed";
    world.requests.push({ kind: "retry", taskId: id("b"), note: "", by: "test" });
    await settle(world);
    const done = await play(world, { prd: two, policy });
    expect(done.phase.kind).toBe("completed");
    expect(world.git.treeOf(done.head).get("builder.txt")).toBe("mine");

    const other = new World(honest);
    other.gate = ({ tree }) => (tree.has("b.txt") ? "failed" : "passed");
    await play(other, { prd: two, policy });
    other.git.refs.set("refs/heads/feature/demo", other.base);
    const refused = await play(other, { prd: two, policy });
    expect(refused.phase).toMatchObject({ kind: "blocked", failure: { reason: "branch-moved" } });
    expect(other.git.refs.get("refs/heads/feature/demo")).toBe(other.base);
  });
});

describe("a plan that was edited while the run was stopped", () => {
  it("keeps what is complete, skips what was removed, does what was added or changed", async () => {
    const world = new World(honest);
    world.gate = ({ tree }) => (tree.get("b.txt") === "b by attempt 1" ? "failed" : "passed");
    const policy = toPolicy({ maxAttempts: 1 });
    const before = toPrd([toTask("a"), toTask("b"), toTask("c", { dependsOn: [id("b")] })]);
    const blocked = await play(world, { prd: before, policy });
    expect(phases(blocked)).toEqual({ a: "complete", b: "held", c: "pending" });
    const now = toPrd([toTask("a"), toTask("b", { description: "other words" }), toTask("d")]);
    const changed: RunEvent = {
      kind: "plan-changed",
      prd: now,
      prdHash: "h",
      changes: ["c removed"],
      by: "test",
    };
    const done = await play(world, { prd: now, policy: toPolicy({ maxAttempts: 2 }), before: [changed] });
    expect(done.phase.kind).toBe("completed");
    expect(phases(done)).toEqual({ a: "complete", b: "complete", d: "complete", c: "skipped" });
    expect(taskOf(done, id("b"))?.attempts).toHaveLength(2);
  });
});

describe("requests of the builder", () => {
  it("are recorded once, also when the program died between claiming and recording them", async () => {
    const world = new World(honest);
    world.gate = ({ tree }) => (tree.has("a.txt") ? "failed" : "passed");
    const policy = toPolicy({ maxAttempts: 1 });
    const blocked = await play(world, { prd: two, policy });
    expect(blocked.phase.kind).toBe("blocked");
    world.claimed.push({
      kind: "skip",
      taskId: id("a"),
      why: "not needed",
      by: "test",
      id: "claimed-then-died",
    });
    const done = await play(world, { prd: two, policy });
    expect(phases(done)).toEqual({ a: "skipped", b: "complete" });
    const again = await settle(world);
    expect(again.seq).toBe(done.seq);
  });

  it("that ask a dead session to pause do not pause the next one", async () => {
    const world = new World(honest);
    world.requests.push({ kind: "pause", now: true, by: "test" });
    expect((await play(world, { prd: two, policy: toPolicy() })).phase.kind).toBe("completed");
  });
});
