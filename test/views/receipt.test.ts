// receipts/<task-id>.json: facts about one commit, and apart from them what was judged of it.
import { expect, test } from "vitest";
import { toReceipt } from "../../src/views/receipt.ts";
import { makeGate, makeReview, makeTask, makeTests, shaOf, taskId } from "../support/run-parts.ts";
import { RunStory } from "../support/run-story.ts";
import { completedStory } from "./feature-story.ts";

test("only a task that this run completed has a receipt", () => {
  const { state } = completedStory();
  expect(toReceipt(state, taskId("task-0"))).toBeNull(); // complete before
  expect(toReceipt(state, taskId("task-2"))).toBeNull(); // skipped
  expect(toReceipt(state, taskId("task-9"))).toBeNull();
  expect(toReceipt(state, taskId("task-1"))).not.toBeNull();
});

test("facts and judgement have the contract's fields, and the facts are those of the accepted attempt", () => {
  const receipt = read(completedStory(), "task-1");
  expect(Object.keys(receipt)).toEqual(["facts", "judgement", "usage"]);
  expect(Object.keys(receipt.facts)).toEqual([
    "taskId",
    "runId",
    "attempt",
    "base",
    "commit",
    "tree",
    "diffSha256",
    "filesChanged",
    "deletions",
    "gates",
    "tamper",
  ]);
  expect(receipt.facts).toMatchObject({
    attempt: 3,
    commit: shaOf("task-1/3 commit"),
    filesChanged: 3,
    deletions: 1,
  });
  expect(Object.keys(receipt.facts.gates[0])).toEqual([
    "name",
    "command",
    "exitCode",
    "durationMs",
    "outputSha256",
    "tests",
  ]);
  expect(Object.keys(receipt.judgement.review)).toEqual([
    "verdict",
    "score",
    "criteria",
    "findings",
    "justified",
    "agent",
    "model",
  ]);
});

test("it never changes after the task is complete, whatever the run does", () => {
  const { states } = completedStory();
  const receipts = states.map((state) => toReceipt(state, taskId("task-1"))).filter((text) => text !== null);
  expect(receipts.length).toBeGreaterThan(10);
  expect(new Set(receipts).size).toBe(1);
});

test("a criterion without a line is unproven; of two lines the worse one counts", () => {
  const story = ready(["a", "b", "c"]).gates("task-1");
  story.reviewed("task-1", {
    criteria: [
      { index: 0, verdict: "met", where: "first" },
      { index: 0, verdict: "cannot tell", where: "second" },
      { index: 2, verdict: "met", where: "third" },
      { index: 7, verdict: "met", where: "nowhere" },
    ],
  });
  expect(read(story.integrated("task-1"), "task-1").judgement.review.criteria).toEqual([
    { index: 0, criterion: "a", verdict: "cannot tell", where: "second" },
    { index: 1, criterion: "b", verdict: "unproven", where: "" },
    { index: 2, criterion: "c", verdict: "met", where: "third" },
  ]);
});

test("a commit that had to be replayed names the reviewed one", () => {
  const story = ready(["a"]).gates("task-1").reviewed("task-1");
  const reviewed = shaOf("task-1/1 commit");
  expect(
    read(ready(["a"]).gates("task-1").reviewed("task-1").integrated("task-1"), "task-1").facts,
  ).not.toHaveProperty("reviewedCommit");
  story.add({ kind: "foreign-commits-adopted", from: story.state.head, to: shaOf("foreign"), count: 1 });
  story
    .candidate("task-1", { commit: shaOf("replayed"), patchId: shaOf("patch") })
    .gates("task-1")
    .integrated("task-1");
  expect(read(story, "task-1").facts).toMatchObject({
    base: shaOf("foreign"),
    commit: shaOf("replayed"),
    reviewedCommit: reviewed,
  });
});

test("failures of a gate that the builder accepted as red are excused, and the gate says so", () => {
  const red = makeGate("tests", { outcome: "failed", exitCode: 1, tests: makeTests(5, 2) });
  const story = new RunStory({ tasks: [makeTask("task-1")] })
    .started()
    .baseline([makeGate("typecheck"), red]);
  story.add({
    kind: "question-asked",
    question: { id: "b", about: { kind: "baseline", gate: "tests" }, text: "", options: [], failure: null },
  });
  story.add({ kind: "question-answered", question: "b", text: "accept", by: "builder" }).stage("baseline");
  story
    .developed("task-1")
    .candidate("task-1")
    .gates("task-1", [makeGate("typecheck"), red]);
  const [typecheck, tests] = read(story.reviewed("task-1").integrated("task-1"), "task-1").facts.gates;
  expect(typecheck).not.toHaveProperty("acceptedAsRed");
  expect(tests).toMatchObject({
    exitCode: 1,
    tests: { passed: 5, failed: 2, skipped: 0, excused: [], newFailures: [] },
    acceptedAsRed: true,
  });
});

test("without a review there is no judgement of one", () => {
  const story = ready(["a"]).gates("task-1").integrated("task-1");
  expect(read(story, "task-1").judgement).toEqual({ review: null });
});

test("the usage is that of all the task's dispatches", () => {
  const usage = {
    inputTokens: 100,
    outputTokens: 10,
    cacheReadTokens: 7,
    cacheWriteTokens: 0,
    costUsd: 0.25,
    costBasis: "reported",
    model: null,
  } as const;
  const story = new RunStory({ tasks: [makeTask("task-1")] }).started().baseline().stage("baseline");
  story.developed("task-1", {}, usage).candidate("task-1").gates("task-1");
  story.reviewed("task-1", makeReview({ verdict: "iterate" }), usage);
  story.sentBack("task-1", { reason: "review-rejected", score: 1, passScore: 80, problems: [] });
  story.developed("task-1", {}, usage).candidate("task-1").gates("task-1");
  story.reviewed("task-1", {}, { ...usage, model: "opus-5-5" });
  const receipt = read(story.integrated("task-1"), "task-1");
  expect(receipt.judgement.review.model).toBe("opus-5-5");
  expect(receipt.usage).toEqual({
    inputTokens: 400,
    outputTokens: 40,
    cacheReadTokens: 28,
    costUsd: 1,
    costBasis: "reported",
  });
});

test.each([
  ["measured", { costUsd: 1, costBasis: "measured" }],
  ["reported", { costUsd: 1, costBasis: "reported" }],
  ["unknown", { costUsd: null, costBasis: "unknown" }],
] as const)("usage that is %s is called that, with what was written to caches", (_what, cost) => {
  const tokens = { inputTokens: 1, outputTokens: 2, cacheReadTokens: 3, cacheWriteTokens: 4, model: null };
  const usage = { ...tokens, ...cost };
  const story = new RunStory({ tasks: [makeTask("task-1")] }).started().baseline().stage("baseline");
  story.developed("task-1", {}, usage).candidate("task-1").gates("task-1").reviewed("task-1", {}, usage);
  expect(read(story.integrated("task-1"), "task-1").usage).toEqual({
    inputTokens: 2,
    outputTokens: 4,
    costUsd: 2 * (cost.costUsd ?? 0),
    costBasis: cost.costBasis,
    cacheReadTokens: 6,
    cacheWriteTokens: 8,
  });
});

function ready(acceptanceCriteria: readonly string[]): RunStory {
  const story = new RunStory({ tasks: [makeTask("task-1", { acceptanceCriteria })] }).started();
  return story
    .baseline()
    .stage("baseline")
    .developed("task-1")
    .candidate("task-1", { patchId: shaOf("patch") });
}

function read(story: RunStory, id: string) {
  const text = toReceipt(story.state, taskId(id));
  if (text === null) throw new Error(`task ${id} has no receipt`);
  return JSON.parse(text);
}
