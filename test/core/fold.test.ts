import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import type { Entry, RunEvent } from "../../src/core/event.ts";
import { isIntent } from "../../src/core/event.ts";
import { fold, foldAll } from "../../src/core/fold.ts";
import { InvariantBroken } from "../../src/core/result.ts";
import type { RunState } from "../../src/core/state.ts";
import { makeGate, makePolicy, makeTask, shaOf, taskId } from "../support/run-parts.ts";
import { RunStory } from "../support/run-story.ts";
import { answer, ask, begin, opened, recordOf } from "./tell.ts";

const a = taskId("a");
const tasks = [makeTask("a"), makeTask("b")];

function freeze<Value>(value: Value): Value {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) freeze(part);
  }
  return value;
}

/** A run with a bit of everything. */
function longStory(): RunStory {
  const story = opened(tasks, { preMortem: "on" }).completed("a");
  story.developed("b").candidate("b").gates("b").reviewed("b", { verdict: "iterate", score: 10 });
  story.sentBack("b", { reason: "review-rejected", score: 10, passScore: 80, problems: [] });
  ask(story, { kind: "attempts", taskId: taskId("b") });
  answer(story, "mind the gap").completed("b").holistic();
  return story
    .stage("holistic-review")
    .add({ kind: "memory-started", lane: 1, head: story.state.head, day: "2026-01-31" });
}

describe("the journal's fold (I4)", () => {
  test("gives the same state for the same entries, and that of a prefix is where the rest begins", () => {
    const { entries, states } = longStory();
    fc.assert(
      fc.property(fc.nat(entries.length), (cut) => {
        let state = foldAll(entries.slice(0, cut));
        expect(state).toEqual(states[cut - 1] ?? null);
        for (const entry of entries.slice(cut)) state = fold(state, entry);
        expect(state).toEqual(states.at(-1));
      }),
    );
  });

  it("changes nothing that it is given", () => {
    const { entries, states } = longStory();
    entries.forEach((entry, index) => {
      const before: RunState | null = freeze(states[index - 1] ?? null);
      expect(fold(before, freeze(entry))).toEqual(states[index]);
    });
  });

  it("of no entries is no run", () => expect(foldAll([])).toBeNull());

  const at = (seq: number, event: RunEvent): Entry => ({ seq, atMs: 0, session: "s", event });
  const created = longStory().entries[0]?.event ?? { kind: "run-completed" };

  it.each<[string, () => unknown]>([
    ["a journal that does not begin with run-created", () => fold(null, at(1, { kind: "run-completed" }))],
    ["a journal that does not begin at 1", () => fold(null, at(2, created))],
    ["a second run-created", () => fold(foldAll([at(1, created)]), at(2, created))],
    ["a gap between events", () => fold(foldAll([at(1, created)]), at(3, { kind: "run-completed" }))],
    ["an event twice", () => fold(foldAll([at(1, created)]), at(1, { kind: "run-completed" }))],
    [
      "an outcome without its intent (I2)",
      () =>
        fold(
          foldAll([at(1, created)]),
          at(2, { kind: "memory-ended", result: { kind: "interrupted", by: "me" } }),
        ),
    ],
    [
      "an event of a kind that it does not know",
      () => fold(foldAll([at(1, created)]), at(2, { kind: "later" } as unknown as RunEvent)), // a newer journal's
    ],
  ])("stops at %s instead of guessing", (_what, run) => expect(run).toThrow(InvariantBroken));
});

describe("a new run", () => {
  it("is queued with every task pending, on its base", () => {
    const { state } = new RunStory({ tasks });
    expect(state).toMatchObject({
      seq: 1,
      phase: { kind: "queued" },
      head: shaOf("base"),
      policy: null,
      sessions: 0,
    });
    expect([...state.tasks].map(({ phase }) => phase.kind)).toEqual(["pending", "pending"]);
  });

  it("believes that a task is complete only with the commit that was found in the base", () => {
    const story = new RunStory({
      tasks,
      created: { completedBefore: [{ taskId: a, commit: shaOf("old") }] },
    });
    expect(recordOf(story, "a").phase).toEqual({ kind: "complete", commit: shaOf("old"), before: true });
    expect(recordOf(story, "b").phase).toEqual({ kind: "pending" });
  });
});

describe("a session", () => {
  const paused: RunEvent = { kind: "run-paused", failure: { reason: "paused-by-builder", by: "me" } };

  it("makes the run run, and forgets the stop of the one before but no counter (I12)", () => {
    const story = opened(tasks).completed("a");
    story.add({ kind: "pause-requested", now: false, by: "me" }).add({ kind: "run-cancelled", by: "me" });
    const before = story.state;
    story.add(paused).started();
    expect(story.state).toMatchObject({
      phase: { kind: "running" },
      pause: null,
      cancelled: null,
      trouble: null,
    });
    expect(story.state).toMatchObject({
      sessions: 2,
      dispatches: before.dispatches,
      gateRuns: before.gateRuns,
    });
    expect(story.state.startedAtMs).toBe(before.startedAtMs);
  });

  it("adds its time to the time before, whether it stopped or died", () => {
    const story = new RunStory({ tasks })
      .started()
      .add({ kind: "told", text: "x" }, 5_000)
      .add(paused, 1_000);
    expect(story.state).toMatchObject({ activeMs: 6_000, sessionStartedAtMs: null });
    story.started().add({ kind: "told", text: "x" }, 2_000).started();
    expect(story.state).toMatchObject({ activeMs: 8_000, phase: { kind: "running" } });
  });

  it("that died counts until its last word, whoever comes first afterwards", () => {
    const story = new RunStory({ tasks }).started().add({ kind: "told", text: "x" }, 2_000);
    const late = {
      seq: story.entries.length + 1,
      atMs: story.state.updatedAtMs + 86_400_000,
      session: "another",
    };
    const taken = fold(story.state, { ...late, event: { kind: "ownership-taken", from: "pid 7" } });
    expect(taken).toMatchObject({ activeMs: 2_000, sessionStartedAtMs: null });
  });

  it("takes no time away when the clock was set back", () => {
    const story = new RunStory({ tasks }).started().add(paused, -9_000);
    expect(story.state.activeMs).toBe(0);
    story.started().add({ kind: "told", text: "x" }, -9_000).started();
    expect(story.state.activeMs).toBe(0);
  });

  it("grants more attempts to every task, and frees those that were held for want of them (I12)", () => {
    const story = opened([makeTask("a"), makeTask("b"), makeTask("c")]);
    ask(story, { kind: "attempts", taskId: a }, { id: "attempts:a:3" });
    ask(story, { kind: "developer", taskId: taskId("b") }, { id: "developer:b:1" });
    story.started(makePolicy(), 2);
    expect(["a", "b", "c"].map((id) => recordOf(story, id).phase.kind)).toEqual([
      "pending",
      "held",
      "pending",
    ]);
    expect(["a", "b", "c"].map((id) => recordOf(story, id).granted)).toEqual([2, 2, 2]);
    expect(story.state.questions.map(({ id }) => id)).toEqual(["developer:b:1"]);
  });

  const red = makeGate("tests", { outcome: "failed", exitCode: 1 });
  const baseline = { kind: "baseline", gate: "tests" } as const;

  it("takes a baseline anew that was not passed: the builder may have mended what was red", () => {
    const story = ask(
      new RunStory({ tasks }).started().baseline([makeGate("typecheck"), red]),
      baseline,
    ).started();
    expect(story.state.baseline.results).toEqual([]);
    expect(story.state.questions).toEqual([]);
  });

  it("goes on with a baseline that was cut short without a red gate", () => {
    const story = new RunStory({ tasks })
      .started()
      .baseline([makeGate("typecheck")])
      .started();
    expect(story.state.baseline.results.map(({ gate }) => gate)).toEqual(["typecheck"]);
  });

  it("keeps a baseline that was passed, and takes it anew when the gates are others", () => {
    const story = opened(tasks).started();
    expect(story.state.stages.get("baseline")).toBe("done");
    story.started(makePolicy({ gates: [] }));
    expect(story.state.stages.has("baseline")).toBe(false);
    expect(story.state.baseline.results).toEqual([]);
  });
});

describe("what befalls a run", () => {
  it.each<[string, RunEvent, string]>([
    ["a take-over", { kind: "ownership-taken", from: "pid 7" }, "took over from pid 7, which is gone"],
    [
      "a repair (I15)",
      { kind: "journal-repaired", droppedBytes: 12 },
      "cut a torn last line of 12 bytes off the journal",
    ],
    ["a word", { kind: "told", text: "by the way" }, "by the way"],
    [
      "commits of the builder",
      { kind: "foreign-commits-adopted", from: shaOf("base"), to: shaOf("mine"), count: 2 },
      "adopted 2 commit(s) that were put on feature/feature-x while the run was stopped",
    ],
  ])("%s is told", (_what, event, text) => {
    expect(opened(tasks).add(event).state.told.at(-1)).toBe(text);
  });

  it("adopted commits are the new head, on which the gates run once more", () => {
    const story = opened(tasks);
    story.add({ kind: "foreign-commits-adopted", from: story.state.head, to: shaOf("mine"), count: 1 });
    expect(story.state.head).toBe(shaOf("mine"));
    expect(story.state.stages.has("baseline")).toBe(false);
    expect(story.state.baseline.results).toEqual([]);
  });

  it.each([
    ["branch-moved", { reason: "branch-moved", branch: "x", expected: "1", found: "2" }, null],
    ["git-failed", { reason: "git-failed", doing: "moving", exitCode: 1, detail: "" }, "git-failed"],
  ] as const)(
    "adopting commits settles an integration that met them, and no other trouble: %s",
    (_what, failure, wanted) => {
      const story = opened(tasks);
      story.add({ kind: "memory-started", lane: 1, head: story.state.head, day: "2026-01-31" });
      story.add({ kind: "memory-ended", result: { kind: "refused", failure } });
      story.add({ kind: "foreign-commits-adopted", from: story.state.head, to: shaOf("mine"), count: 1 });
      expect(story.state.trouble?.reason ?? null).toBe(wanted);
    },
  );

  it("a pause that was once meant at once stays so", () => {
    const story = opened(tasks).add({ kind: "pause-requested", now: false, by: "me" });
    expect(story.state.pause).toEqual({ now: false, by: "me" });
    story.add({ kind: "pause-requested", now: true, by: "SIGINT" });
    story.add({ kind: "pause-requested", now: false, by: "you" });
    expect(story.state.pause).toEqual({ now: true, by: "you" });
  });

  it("a request is remembered by its id, so that it is not done twice", () => {
    const story = opened(tasks).add({ kind: "told", text: "x", request: "r1" });
    expect([...story.state.requests]).toEqual(["r1"]);
  });

  it("how far the base has moved is known at the stop", () => {
    expect(opened(tasks).add({ kind: "base-compared", movedBy: 3 }).state.baseMovedBy).toBe(3);
  });

  it.each<[string, RunEvent, object]>([
    [
      "paused",
      { kind: "run-paused", failure: { reason: "no-change" } },
      { failure: { reason: "no-change" } },
    ],
    [
      "blocked",
      { kind: "run-blocked", failure: { reason: "no-change" }, question: "q" },
      { failure: { reason: "no-change" }, question: "q" },
    ],
    ["failed", { kind: "run-failed", failure: { reason: "cancelled", by: "me" } }, {}],
    ["completed", { kind: "run-completed" }, {}],
  ])("a run stops %s, and has an end only when it has ended", (kind, event, data) => {
    const story = opened(tasks).add(event);
    expect(story.state.phase).toMatchObject({ kind, ...data });
    const hasEnded = kind === "failed" || kind === "completed";
    expect(story.state.endedAtMs).toBe(hasEnded ? story.state.updatedAtMs : null);
  });

  it("a run that was cancelled while it was stopped counts no time for it", () => {
    const story = opened(tasks).add({ kind: "run-paused", failure: { reason: "no-change" } });
    const { activeMs } = story.state;
    story.add({ kind: "run-failed", failure: { reason: "cancelled", by: "me" } }, 99_000);
    expect(story.state.activeMs).toBe(activeMs);
  });
});

describe("the stages of a run", () => {
  const steps = (story: RunStory): unknown[] =>
    [...story.state.steps].map(({ nodeId, status }) => `${nodeId} ${status}`);

  it("are steps, but for those that an agent's dispatch has told already", () => {
    const story = new RunStory({ tasks }).started().stage("baseline").stage("recon", "skipped");
    story.askedLead({ stage: "pre-mortem", risks: [] }).stage("pre-mortem");
    expect(steps(story)).toEqual(["baseline success", "recon skipped", "pre-mortem success"]);
  });

  it("last from the end of the step before, or from the session's start", () => {
    const story = new RunStory({ tasks }).started();
    const { sessionStartedAtMs } = story.state;
    story.baseline().stage("baseline");
    const baseline = story.state.steps.last();
    expect(baseline?.startedAtMs).toBe(sessionStartedAtMs);
    expect(baseline?.finishedAtMs).toBe(story.state.updatedAtMs);
    expect(baseline?.finishedAtMs).toBeGreaterThan(sessionStartedAtMs ?? 0);
    story.started().stage("preflight");
    expect(story.state.steps.last()?.startedAtMs).toBe(story.state.sessionStartedAtMs);
  });

  it("a holistic review that adds tasks is held again after them", () => {
    const story = opened(tasks)
      .completed("a")
      .completed("b")
      .holistic({ verdict: "gaps" })
      .stage("holistic-review");
    story.add({
      kind: "follow-ups-added",
      round: 1,
      tasks: [makeTask("follow-up-1-1"), makeTask("follow-up-1-2")],
    });
    expect(story.state).toMatchObject({ verdict: null, followUpRounds: 1 });
    expect(story.state.stages.has("holistic-review")).toBe(false);
    expect([...story.state.tasks].map(({ task }) => task.id)).toEqual([
      "a",
      "b",
      "follow-up-1-1",
      "follow-up-1-2",
    ]);
    expect(recordOf(story, "follow-up-1-2").phase.kind).toBe("pending");
  });
});

it("the memory commit is the branch's new head", () => {
  const story = longStory();
  story.add({
    kind: "memory-ended",
    result: { kind: "committed", commit: shaOf("memory"), entry: "memory/x.md" },
  });
  expect(story.state).toMatchObject({
    head: shaOf("memory"),
    memory: { commit: shaOf("memory"), entry: "memory/x.md", note: "" },
  });
});

describe("what is under way", () => {
  it("is every intent without its outcome, by one key for each effect (I2)", () => {
    const story = begin(opened(tasks), { stage: "develop", task: "b" });
    story.add({
      kind: "gate-started",
      taskId: null,
      attempt: 1,
      lane: 1,
      gate: "tests",
      trial: "candidate",
      commit: story.state.head,
    });
    story.add({ kind: "memory-started", lane: 1, head: story.state.head, day: "2026-01-31" });
    expect([...story.state.running.keys()]).toEqual(["dispatch d1", "gate ", "memory"]);
    for (const { intent, atMs, seq } of story.state.running.values()) {
      expect(isIntent(intent)).toBe(true);
      expect(story.entries[seq - 1]).toMatchObject({ atMs, event: intent });
    }
  });

  it("is nothing that is only a decision or an outcome", () => {
    expect(isIntent({ kind: "run-completed" })).toBe(false);
    expect(longStory().state.running.size).toBe(1);
  });
});
