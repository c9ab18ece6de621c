// Stories of runs whose base has failing tests: what is excused, when it is looked at again, what is not excused.
import { describe, expect, it } from "vitest";
import type { Policy } from "../../src/core/policy.ts";
import { makeGate, makePolicy, makeTask, makeWork, shaOf } from "../support/run-parts.ts";
import { RunStory } from "../support/run-story.ts";
import {
  answer,
  begin,
  dispatched,
  failing,
  follow,
  lastAttemptOf,
  next,
  passing,
  recordOf,
  runGate,
  unnamed,
} from "./tell.ts";

const gates = makePolicy().gates.filter(({ name }) => name === "tests");
const tasks = [makeTask("a"), makeTask("b"), makeTask("c")];
const known = ["adds", "divides", "rounds"];

/** A run with one gate, of whose 20 tests these fail on the base, each time that it runs. */
function onBase(names: readonly string[], over: Partial<Policy> = {}): RunStory {
  const story = new RunStory({ tasks }).started(makePolicy({ gates, ...over }));
  runGate(story, "tests of the branch: candidate", failing(...names));
  runGate(story, "tests of the branch: again", failing(...names));
  return follow(story, 3); // baseline, recon and pre-mortem are over
}

function candidateOf(story: RunStory, id: string): RunStory {
  return story.developed(id).candidate(id);
}

/** The task is reviewed and on the branch. */
function integrate(story: RunStory, id: string): RunStory {
  return follow(story).reviewed(id).integrated(id);
}

const red = (tests: readonly string[]) => ({
  kind: "attempt-ended",
  outcome: { kind: "rejected", failure: { reason: "gates-red", gates: ["tests"], tests } },
});

describe("a base with 3 failing tests of 20", () => {
  it("does not stop the run: they are told by name, and may fail from now on", () => {
    const story = new RunStory({ tasks }).started(makePolicy({ gates }));
    runGate(story, "tests of the branch: candidate", failing("flickers", ...known));
    runGate(story, "tests of the branch: again", failing(...known));
    expect(next(story)).toMatchObject({
      kind: "stage-ended",
      stage: "baseline",
      outcome: "done",
      notes:
        "1 gate(s) on the base; tests: excused as failing before any task: adds, divides, rounds; tests: flaky: flickers",
    });
    expect(story.state.baseline.failing).toEqual([
      { gate: "tests", commit: shaOf("base"), tests: known, ran: expect.any(Number) },
    ]);
  });

  it("lets a candidate with the same 3 pass, without another run", () => {
    const story = runGate(candidateOf(onBase(known), "a"), "tests of a: candidate", failing(...known));
    expect(next(story)).toMatchObject({
      kind: "gates-judged",
      red: [],
      gates: [{ gate: "tests", verdict: "excused", excused: known, newFailures: [] }],
    });
    expect(next(follow(story))).toMatchObject({ kind: "dispatch-started", stage: "review" });
  });

  it("lets none with another failing test pass, and names it", () => {
    const story = runGate(
      candidateOf(onBase(known), "a"),
      "tests of a: candidate",
      failing(...known, "sorts"),
    );
    runGate(story, "tests of a: again", failing(...known, "sorts"));
    expect(next(story)).toMatchObject({
      gates: [{ verdict: "failed", excused: known, newFailures: ["sorts"] }],
    });
    expect(next(follow(story))).toMatchObject(red(["sorts"]));
  });

  it("lets none pass in which 3 others fail", () => {
    const others = ["sorts", "prints", "reads"];
    const story = runGate(candidateOf(onBase(known), "a"), "tests of a: candidate", failing(...others));
    expect(next(follow(runGate(story, "tests of a: again", failing(...others))))).toMatchObject(red(others));
  });

  it("has no excuse for a candidate whose gate does not name what fails", () => {
    const story = runGate(candidateOf(onBase(known), "a"), "tests of a: candidate", unnamed);
    expect(next(follow(story))).toMatchObject(red([]));
  });

  it("has no excuse for a candidate on which the gate cannot even start", () => {
    const broken = { outcome: "cannot start", exitCode: null, tests: null } as const;
    const story = runGate(candidateOf(onBase(known), "a"), "tests of a: candidate", broken);
    expect(next(follow(story))).toMatchObject(red([]));
  });

  it("tells many failing tests in bounded words (I11)", () => {
    const many = Array.from({ length: 25 }, (_, index) => `t${index}`);
    const { entries } = onBase(many);
    const notes = entries.flatMap(({ event }) => (event.kind === "stage-ended" ? [event.notes] : []));
    expect(notes[0]).toMatch(/: t0, t1, .*, t19 and 5 more$/);
  });
});

describe("a failing test that is not known", () => {
  it("is run once more; one that passes then is labelled as flaky and does not send the work back", () => {
    const story = runGate(candidateOf(onBase(known), "a"), "tests of a: candidate", failing("sorts"));
    runGate(story, "tests of a: again", passing);
    const judged = { verdict: "flaky", flaky: ["sorts"], newFailures: [], excused: [] };
    expect(next(story)).toMatchObject({ kind: "gates-judged", red: [], gates: [judged] });
    follow(story);
    expect(lastAttemptOf(story, "a").judgements).toMatchObject([judged]);
  });

  it("is no flaky one when another fails in its place", () => {
    const story = runGate(candidateOf(onBase(known), "a"), "tests of a: candidate", failing("at 09:00"));
    runGate(story, "tests of a: again", failing("at 09:01"));
    expect(next(follow(story))).toMatchObject(red(["at 09:01"]));
  });
});

describe("what is excused moves with the branch", () => {
  it("and a test that was repaired may not break again", () => {
    const story = runGate(
      candidateOf(onBase(known), "a"),
      "tests of a: candidate",
      failing("adds", "rounds"),
    );
    integrate(story, "a");
    expect(story.state.baseline.failing).toEqual([
      { gate: "tests", commit: shaOf("a/1 commit"), tests: ["adds", "rounds"], ran: expect.any(Number) },
    ]);
    runGate(candidateOf(story, "b"), "tests of b: candidate", failing(...known));
    runGate(story, "tests of b: again", failing(...known));
    expect(next(follow(story))).toMatchObject(red(["divides"]));
  });

  it("and never grows: what was flaky in an accepted candidate is no excuse for the next", () => {
    const story = runGate(
      candidateOf(onBase(known), "a"),
      "tests of a: candidate",
      failing(...known, "sorts"),
    );
    integrate(runGate(story, "tests of a: again", failing(...known)), "a");
    runGate(candidateOf(story, "b"), "tests of b: candidate", failing(...known, "sorts"));
    runGate(story, "tests of b: again", failing(...known, "sorts"));
    expect(next(follow(story))).toMatchObject(red(["sorts"]));
  });

  it("and stays when an integration was refused", () => {
    const story = runGate(candidateOf(onBase(known), "a"), "tests of a: candidate", passing);
    follow(story).reviewed("a");
    const failure = { reason: "git-failed", doing: "moving", exitCode: 1, detail: "no" } as const;
    const end = { kind: "integration-ended", taskId: recordOf(story, "a").task.id, attempt: 1 } as const;
    follow(story).add({ ...end, result: { kind: "refused", failure } });
    expect(story.state.baseline.failing).toMatchObject([{ commit: shaOf("base"), tests: known }]);
  });
});

/** Task a, whose gates are none, is on the branch: nobody knows what fails there. */
function movedUnseen(over: Partial<Policy> = {}): RunStory {
  const story = new RunStory({ tasks: [makeTask("a", { gates: [] }), makeTask("b"), makeTask("c")] });
  story.started(makePolicy({ gates, ...over }));
  runGate(story, "tests of the branch: candidate", failing(...known));
  runGate(story, "tests of the branch: again", failing(...known));
  follow(story, 3);
  return integrate(candidateOf(story, "a"), "a");
}

describe("a gate that did not run for a task", () => {
  it("is looked at on the head before anything is excused, and only what fails there is", () => {
    const story = runGate(
      candidateOf(movedUnseen(), "b"),
      "tests of b: candidate",
      failing("adds", "rounds"),
    );
    expect(next(story)).toMatchObject({
      taskId: null,
      lane: 1,
      trial: "candidate",
      commit: shaOf("a/1 commit"),
    });
    runGate(story, "tests of the branch: candidate", failing("adds", "sorts"));
    expect(story.state.baseline.failing).toEqual([
      { gate: "tests", commit: shaOf("a/1 commit"), tests: ["adds"], ran: expect.any(Number) },
    ]);
    expect(story.state.baseline.results).toHaveLength(1);
    runGate(story, "tests of b: again", failing("adds", "rounds"));
    expect(next(follow(story))).toMatchObject(red(["rounds"]));
  });

  it("is not looked at for failures that were never known, or none", () => {
    const story = runGate(candidateOf(movedUnseen(), "b"), "tests of b: candidate", failing("sorts"));
    runGate(story, "tests of b: again", passing);
    expect(next(story)).toMatchObject({ kind: "gates-judged" });
  });

  it("is looked at also for what fails in the second run only", () => {
    const story = runGate(candidateOf(movedUnseen(), "b"), "tests of b: candidate", failing("sorts"));
    runGate(story, "tests of b: again", failing("adds"));
    runGate(story, "tests of the branch: candidate", failing("adds"));
    expect(next(story)).toMatchObject({
      gates: [{ verdict: "excused", excused: ["adds"], flaky: ["sorts"] }],
    });
  });

  it("is looked at again when the look was cut short", () => {
    const story = runGate(candidateOf(movedUnseen(), "b"), "tests of b: candidate", failing("adds"));
    const look = next(story);
    if (look?.kind !== "gate-started") throw new Error("a gate is looked at");
    const { taskId: task, attempt, gate, trial, commit } = look;
    const end = { kind: "gate-ended", taskId: task, attempt, gate, trial, commit } as const;
    story.add(look).add({ ...end, result: { kind: "interrupted", by: "SIGINT" } });
    expect(next(story)).toEqual({ ...look, attempt: attempt + 1 });
  });

  const answered = {
    kind: "answered",
    report: makeWork(),
    left: { tree: shaOf("tree"), agentHead: null },
  } as const;

  /** Two candidates beside one another, each in its lane. */
  const two = (): RunStory => {
    const story = movedUnseen({ concurrency: 2 });
    dispatched(story, { stage: "develop", task: "b", lane: 1 }, answered).candidate("b");
    return dispatched(story, { stage: "develop", task: "c", lane: 2 }, answered).candidate("c");
  };

  it("is looked at once for two tasks, and the one in whose lane that is waits for it", () => {
    const story = two();
    runGate(story, "tests of b: candidate", failing("adds"));
    const look = next(story);
    expect(look).toMatchObject({ taskId: null, lane: 1 });
    follow(story);
    runGate(story, "tests of c: candidate", failing("adds"));
    expect(next(story)).toBeNull();
    const at = {
      taskId: null,
      attempt: 1,
      gate: "tests",
      trial: "candidate",
      commit: story.state.head,
    } as const;
    story.add({
      kind: "gate-ended",
      ...at,
      result: { kind: "ran", result: makeGate("tests", failing("adds")) },
    });
    for (const id of ["b", "c"]) {
      expect(next(story)).toMatchObject({
        kind: "gates-judged",
        taskId: id,
        red: [],
        gates: [{ excused: ["adds"] }],
      });
      follow(story);
      begin(story, { stage: "review", task: id, lane: id === "b" ? 1 : 2 });
    }
  });

  it("keeps its lane for itself also when the branch moves meanwhile", () => {
    const story = two();
    runGate(story, "tests of b: candidate", failing("adds"));
    follow(story);
    runGate(story, "tests of c: candidate", passing);
    integrate(story, "c");
    expect(next(story)).toBeNull();
  });
});

describe("a gate that cannot name its failures on the base", () => {
  const stopped = (): RunStory =>
    runGate(
      new RunStory({ tasks }).started(makePolicy({ gates })),
      "tests of the branch: candidate",
      unnamed,
    );

  it("stops the run until it is repaired, dropped or accepted by name", () => {
    expect(next(stopped())).toMatchObject({
      kind: "question-asked",
      question: { id: "baseline:tests", failure: { reason: "gate-red-on-base", gate: "tests" } },
    });
  });

  it("stops it also when it named them only in the first of two runs", () => {
    const story = new RunStory({ tasks }).started(makePolicy({ gates }));
    runGate(story, "tests of the branch: candidate", failing("adds"));
    runGate(story, "tests of the branch: again", { outcome: "timed out", exitCode: null });
    expect(next(story)).toMatchObject({
      question: { failure: { reason: "gate-red-on-base", how: "did not end in time" } },
    });
    expect(next(answer(follow(story), "accept"))).toMatchObject({ notes: "1 gate(s) on the base" });
  });

  it.each<[string, object, string]>([
    ["fails as it did", unnamed, "accepted"],
    ["passes", passing, "passed"],
    ["cannot even start", { outcome: "cannot start", exitCode: null }, "failed"],
    ["does not end", { outcome: "timed out", exitCode: null }, "failed"],
  ])("and was accepted: a candidate on which it %s is judged so", (_what, over, verdict) => {
    const story = follow(answer(follow(stopped()), "accept"), 3);
    runGate(candidateOf(story, "a"), "tests of a: candidate", over);
    expect(next(story)).toMatchObject({
      kind: "gates-judged",
      red: verdict === "failed" ? ["tests"] : [],
      gates: [{ verdict }],
    });
  });
});
