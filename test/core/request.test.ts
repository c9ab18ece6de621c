import { describe, expect, it } from "vitest";
import type { DispatchStarted } from "../../src/core/event.ts";
import type { EvidenceEffect, EvidenceFinding } from "../../src/core/evidence/finding.ts";
import type { GateJudgement } from "../../src/core/gate-result.ts";
import { limits } from "../../src/core/limits.ts";
import type { OwnLook } from "../../src/core/own-look.ts";
import type { AgentStage, Finding, PreMortemReport } from "../../src/core/report.ts";
import {
  type DispatchRequest,
  evidencePlace,
  gateLogPlace,
  toDispatchRequest,
  toRequestJson,
  withheldPaths,
} from "../../src/core/request.ts";
import { InvariantBroken } from "../../src/core/result.ts";
import { makeGate, makePolicy, makeTask, shaOf, taskId } from "../support/run-parts.ts";
import { RunStory } from "../support/run-story.ts";
import {
  answer,
  ask,
  begin,
  dispatched,
  failedWith,
  failing,
  follow,
  gatesRan,
  lastAttemptOf,
  opened,
  passing,
  recordOf,
  retry,
  runGate,
} from "./tell.ts";

/** The request of the dispatch that has begun last. */
function requested(story: RunStory, conflicts?: readonly string[]): DispatchRequest {
  const intent = [...story.state.running.values()].at(-1)?.intent;
  if (intent?.kind !== "dispatch-started") throw new Error("no dispatch is under way");
  return toDispatchRequest(story.state, intent, conflicts === undefined ? {} : { conflicts });
}

function asked(story: RunStory, stage: AgentStage, task: string | null): DispatchRequest {
  return requested(begin(story, { stage, task }));
}

const note: Finding = { id: "f2", severity: "note", file: "b.ts", line: 3, problem: "typo", fix: "mend it" };
const major: Finding = { ...note, id: "f1", severity: "major", file: null, line: null, problem: "slow" };

function evidence(effect: EvidenceEffect, id: string): EvidenceFinding {
  return { id, kind: "test-skipped", effect, severity: "major", file: "a.test.ts", line: 3, text: "skipped" };
}

describe("a developer is told", () => {
  it("the task, the goal, and what is to be read, and nothing of an attempt before when there was none", () => {
    const task = makeTask("a", { filesToRead: ["src/a.ts"], mitigations: ["measure"] });
    const story = new RunStory({
      tasks: [task],
      prd: { requiredReading: ["STYLE.md"], globalConstraints: ["fast"] },
    });
    const request = asked(story.started(), "develop", "a");
    expect(request).toMatchObject({
      slug: "feature-x",
      goal: "Build feature X.",
      constraints: ["fast"],
      files: [
        { path: "src/a.ts", why: "named by the task" },
        { path: "STYLE.md", why: "required reading of the plan" },
      ],
      mitigations: ["measure"],
      feedback: null,
      learned: [],
      tasks: [],
    });
    expect(toRequestJson(request)).toEqual({
      stage: "develop",
      role: "developer",
      slug: "feature-x",
      runId: "20260131T090000Z-3fa9c1",
      dispatch: `${story.state.runId}.d1`,
      goal: "Build feature X.",
      constraints: ["fast"],
      task: {
        id: "a",
        title: "Do a",
        description: "What a is about.",
        acceptanceCriteria: ["a works"],
        filesToRead: ["src/a.ts"],
        mitigations: ["measure"],
      },
      attempt: 1,
      base: shaOf("base"),
      files: [
        { path: "src/a.ts", why: "named by the task" },
        { path: "STYLE.md", why: "required reading of the plan" },
      ],
      mitigations: ["measure"],
      learned: [],
    });
  });

  it("which risks of the pre-mortem concern its task, and what the tasks before taught", () => {
    const story = opened([makeTask("a"), makeTask("b")]);
    const risk = { category: "c", severity: "major", problem: "p", verification: "v" } as const;
    const report: PreMortemReport = {
      stage: "pre-mortem",
      risks: [
        { ...risk, name: "for all", mitigation: "look", taskIds: [] },
        { ...risk, name: "for a", mitigation: "wait", taskIds: [taskId("a")] },
        { ...risk, name: "for b", mitigation: "hurry", taskIds: [taskId("b")] },
      ],
    };
    story.askedLead(report).completed("a", { reflection: "tests are slow" });
    const request = asked(story, "develop", "b");
    expect(request.mitigations).toEqual(["for all: look", "for b: hurry"]);
    expect(toRequestJson(request)["learned"]).toEqual([{ taskId: "a", text: "tests are slow" }]);
  });

  it("why the attempt before was sent back: gates that failed, findings, the failure's sentence", () => {
    const story = opened([makeTask("a")])
      .developed("a")
      .candidate("a")
      .gates("a");
    story.reviewed("a", { verdict: "iterate", score: 40, findings: [major, note] });
    story.sentBack("a", { reason: "review-rejected", score: 40, passScore: 80, problems: ["slow"] });
    const { feedback } = asked(story, "develop", "a");
    expect(feedback).toEqual({
      gates: [],
      findings: [major, note],
      evidence: [],
      conflict: [],
      note: "the review did not approve (score 40, needed 80): slow",
    });
  });

  it("the end of a red gate's output, bounded (I11)", () => {
    const tail = `${"x".repeat(limits.outputTailChars)}the end`;
    const story = opened([makeTask("a")])
      .developed("a")
      .candidate("a");
    story.gates("a", [makeGate("typecheck"), makeGate("tests", { outcome: "failed", exitCode: 1, tail })]);
    story.sentBack("a", { reason: "gates-red", gates: ["tests"], tests: [] });
    const json = toRequestJson(asked(story, "develop", "a"));
    const gate = { name: "tests", passed: false, exitCode: 1, newFailures: [], excused: [] };
    expect(json["feedback"]).toMatchObject({
      gates: [{ ...gate, tail: tail.slice(-limits.outputTailChars) }],
    });
  });

  it("whether the files and names that its task speaks of are there, where the program saw any", () => {
    const { intent } = asked(opened([makeTask("a")]), "develop", "a");
    const story = begin(opened([makeTask("a")]), { stage: "develop", task: "a" });
    const told = (seen: OwnLook) => toRequestJson(toDispatchRequest(story.state, intent, { seen }))["seen"];
    const files = [{ path: "src/a.ts", exists: false }];
    const names = [{ name: "toDate", foundIn: ["src/b.ts"] }];
    expect(told({ files, names: [] })).toEqual({ files, names: [] });
    expect(told({ files: [], names })).toEqual({ files: [], names });
    expect(told({ files: [], names: [] })).toBeUndefined();
  });

  it("which tests are new among the failing ones, and what the program found that somebody has to answer for", () => {
    const story = opened([makeTask("a")], {
      gates: makePolicy().gates.filter(({ name }) => name === "tests"),
    });
    const findings = [evidence("justify", "f1"), evidence("note", "f2")];
    story.developed("a").candidate("a", { findings });
    runGate(story, "tests of a: candidate", failing("adds", "sorts"));
    follow(runGate(story, "tests of a: again", failing("adds")), 2);
    const json = toRequestJson(asked(story, "develop", "a"));
    expect(json["feedback"]).toMatchObject({
      gates: [{ name: "tests", passed: false, newFailures: ["adds"], excused: [], flaky: ["sorts"] }],
      evidence: [evidence("justify", "f1")],
      note: "gates failed: tests; new failing tests: adds",
    });
  });

  it("of the last attempt that came to something, not of an interrupted one, and the builder's words first", () => {
    const story = opened([makeTask("a")])
      .developed("a")
      .candidate("a")
      .sentBack("a", { reason: "no-change" });
    const gone = { kind: "interrupted", by: "SIGINT" } as const;
    dispatched(story, { stage: "develop", task: "a" }, { ...gone, salvage: null }).ended("a", gone);
    ask(story, { kind: "attempts", taskId: taskId("a") });
    retry(story, "a", "mind the gap");
    expect(asked(story, "develop", "a").feedback?.note).toBe(
      "The builder says: mind the gap\n\nthe developer changed nothing, and the task does not say allowNoChanges",
    );
  });

  it("of the last attempt that was judged, and why the one after it did not get so far", () => {
    const story = opened([makeTask("a")])
      .developed("a")
      .candidate("a");
    story.reviewed("a", { verdict: "iterate", score: 40, findings: [major] });
    story.sentBack("a", { reason: "review-rejected", score: 40, passScore: 80, problems: ["slow"] });
    const limited = {
      reason: "rate-limited",
      agent: "developer",
      resetAtMs: null,
      detail: "5 hours",
    } as const;
    dispatched(story, { stage: "develop", task: "a" }, failedWith(limited));
    story.ended("a", { kind: "failed", failure: limited });
    expect(asked(story, "develop", "a").feedback).toMatchObject({
      findings: [major],
      note: 'the review did not approve (score 40, needed 80): slow\n\nagent "developer" has reached a limit: 5 hours',
    });
  });

  it.each<[string, readonly string[], object | null]>([
    ["nothing after an interruption alone", [], null],
    [
      "which files conflict",
      ["x.ts"],
      { gates: [], findings: [], evidence: [], conflict: ["x.ts"], note: "" },
    ],
  ])("%s", (_what, conflicts, feedback) => {
    const story = opened([makeTask("a")]);
    const gone = { kind: "interrupted", by: "SIGINT" } as const;
    dispatched(story, { stage: "develop", task: "a" }, { ...gone, salvage: null }).ended("a", gone);
    begin(story, { stage: "develop", task: "a" });
    expect(requested(story, conflicts).feedback).toEqual(feedback);
  });

  it("what the builder answered to its question, with the attempt that asked", () => {
    const question = { text: "which colour?", options: ["red"] };
    const story = opened([makeTask("a")])
      .developed("a", { question })
      .candidate("a")
      .ended("a", { kind: "asked" });
    ask(story, { kind: "developer", taskId: taskId("a") });
    const { feedback } = asked(answer(story, "red"), "develop", "a");
    expect(feedback).toEqual({
      gates: [],
      findings: [],
      evidence: [],
      conflict: [],
      note: "The builder says: red",
    });
  });

  it("what the precheck found missing in the task", () => {
    const report = { stage: "precheck", verdict: "needs_refinement", issues: ["vague"] } as const;
    const story = opened([makeTask("a")], { precheck: "on" });
    dispatched(story, { stage: "precheck", task: "a" }, { kind: "answered", report, left: null });
    const request = asked(story, "develop", "a");
    expect(request.issues).toEqual(["vague"]);
    expect(toRequestJson(request)["issues"]).toEqual(["vague"]);
  });

  it("nothing where the run has no such task, which cannot be", () => {
    const story = opened([makeTask("a")]);
    const intent = requested(begin(story, { stage: "develop", task: "a" })).intent;
    expect(() => toDispatchRequest(story.state, { ...intent, taskId: taskId("z") })).toThrow(InvariantBroken);
  });
});

describe("a reviewer is told", () => {
  it("the candidate, its gates and the developer's own words", () => {
    const story = gatesRan(
      opened([makeTask("a")])
        .developed("a", { summary: "trust me" })
        .candidate("a"),
      "a",
    );
    const json = toRequestJson(asked(story, "review", "a"));
    expect(json).toMatchObject({
      candidate: shaOf("a/1 commit"),
      openFindings: [],
      developerReport: "trust me",
      gates: [
        { name: "typecheck", passed: true, exitCode: 0 },
        { name: "tests", passed: true, exitCode: 0 },
      ],
    });
    expect(json).not.toHaveProperty("feedback");
    expect(json).not.toHaveProperty("tasks");
  });

  it("which instructions for agents it sees as they are in the base", () => {
    const baseVersions = [
      { path: "a.test.ts", kind: "test", isInBase: true },
      { path: "AGENTS.md", kind: "agent instruction", isInBase: true },
    ] as const;
    const story = gatesRan(
      opened([makeTask("a")])
        .developed("a")
        .candidate("a", { baseVersions }),
      "a",
    );
    expect(toRequestJson(asked(story, "review", "a"))["withheld"]).toEqual(["AGENTS.md"]);
    expect(withheldPaths({ ...lastAttemptOf(story, "a"), candidate: null })).toEqual([]);
  });

  it("all that the program found, and of each gate why it counts as passed", () => {
    const story = opened([makeTask("a")], {
      gates: makePolicy().gates.filter(({ name }) => name === "tests"),
    });
    const findings = [evidence("justify", "f1"), evidence("note", "f2")];
    story.developed("a").candidate("a", { findings });
    runGate(story, "tests of a: candidate", failing("sorts"));
    follow(runGate(story, "tests of a: again", passing));
    const json = toRequestJson(asked(story, "review", "a"));
    expect(json).toMatchObject({
      gates: [{ name: "tests", passed: true, exitCode: 1, newFailures: [], excused: [], flaky: ["sorts"] }],
    });
    expect(json["evidence"]).toEqual(findings);
  });

  it.each<[string, GateJudgement["verdict"], boolean]>([
    ["fails only by what fails on the head too passed", "excused", true],
    ["is red as the builder accepted it has not passed", "accepted", false],
  ])("that a gate which %s", (_what, verdict, passed) => {
    const story = opened([makeTask("a")])
      .developed("a")
      .candidate("a");
    gatesRan(story, "a", ["tests"]);
    const { candidate, number } = lastAttemptOf(story, "a");
    const judgement = { gate: "tests", verdict, newFailures: [], excused: ["adds"], flaky: [] };
    const at = { taskId: taskId("a"), attempt: number, commit: candidate?.commit ?? shaOf("none") };
    story.add({ kind: "gates-judged", ...at, red: [], gates: [judgement], findings: [] });
    expect(toRequestJson(asked(story, "review", "a"))["gates"]).toMatchObject([
      { name: "typecheck", passed: true, excused: [] },
      { name: "tests", passed, excused: ["adds"] },
    ]);
  });

  it("in later rounds the findings of the review before that count", () => {
    const story = opened([makeTask("a")])
      .developed("a")
      .candidate("a")
      .gates("a");
    const findings = [major, note, { ...major, id: "f3", file: "c.ts", line: 7 }];
    story.reviewed("a", { verdict: "iterate", score: 40, findings });
    story.sentBack("a", { reason: "review-rejected", score: 40, passScore: 80, problems: [] });
    story.developed("a").candidate("a").gates("a");
    expect(toRequestJson(asked(story, "review", "a"))["openFindings"]).toEqual([
      { id: "f1", severity: "major", problem: "slow", fix: "mend it" },
      { id: "f3", severity: "major", file: "c.ts", line: 7, problem: "slow", fix: "mend it" },
    ]);
  });
});

it("tells the lead every task with its state, and the words of the builder for all", () => {
  const story = opened([makeTask("a"), makeTask("b")], { preMortem: "approve" }).completed("a");
  ask(story, { kind: "pre-mortem" }, { id: "pre-mortem" });
  const request = asked(answer(story, "be kind"), "holistic-review", null);
  expect(request.constraints).toEqual(["be kind"]);
  const json = toRequestJson(request);
  expect(json["tasks"]).toMatchObject([
    { id: "a", state: "complete", commit: shaOf("a/1 commit") },
    { id: "b", state: "pending" },
  ]);
  expect(json).not.toHaveProperty("task");
  expect(json).not.toHaveProperty("candidate");
  expect(recordOf(story, "a").phase.kind).toBe("complete");
});

describe("the papers of a dispatch lie", () => {
  const place = (over: Partial<DispatchStarted>): unknown => {
    const story = begin(opened([makeTask("a")]), { stage: "develop", task: "a" });
    return evidencePlace({ ...requested(story).intent, ...over });
  };

  it.each<[string, Partial<DispatchStarted>, object]>([
    ["in the attempt's folder", { attempt: 2 }, { folder: "attempts/a/2", prefix: "" }],
    ["beside it for a review", { stage: "review" }, { folder: "attempts/a/1", prefix: "review-" }],
    [
      "apart for a second review",
      { stage: "review", try: 2 },
      { folder: "attempts/a/1", prefix: "review-2-" },
    ],
    ["apart for a precheck", { stage: "precheck" }, { folder: "attempts/a/1", prefix: "precheck-" }],
    [
      "in the run's for its stages",
      { stage: "recon", taskId: null, try: 2 },
      {
        folder: "attempts/_run/recon/2",
        prefix: "",
      },
    ],
  ])("%s", (_where, over, expected) => expect(place(over)).toEqual(expected));
});

it("keeps a gate's output with its attempt, the baseline's with the run", () => {
  expect(gateLogPlace({ taskId: taskId("a"), attempt: 2, gate: "tests", trial: "candidate" })).toBe(
    "attempts/a/2/gates/tests.log",
  );
  expect(gateLogPlace({ taskId: null, attempt: 1, gate: "tests", trial: "again" })).toBe(
    "attempts/_run/baseline/1/gates/tests.again.log",
  );
});

it("keeps the output of each run of a gate in a file of its own", () => {
  const trials = ["candidate", "again", "base tests", "base definitions"] as const;
  const places = trials.map((trial) =>
    gateLogPlace({ taskId: taskId("a"), attempt: 1, gate: "tests", trial }),
  );
  expect(places).toEqual([
    "attempts/a/1/gates/tests.log",
    "attempts/a/1/gates/tests.again.log",
    "attempts/a/1/gates/tests.base-tests.log",
    "attempts/a/1/gates/tests.base-definitions.log",
  ]);
});
