import { describe, expect, it } from "vitest";
import { toTaskFields, withoutProgress } from "../../src/core/prd.ts";
import { makePrd, makeTask, shaOf, taskId } from "../support/run-parts.ts";

describe("a task for prd.json and requests", () => {
  it("has only what every task needs when nothing else is said", () => {
    expect(toTaskFields(makeTask("a"))).toEqual({
      id: "a",
      title: "Do a",
      description: "What a is about.",
      acceptanceCriteria: ["a works"],
    });
  });

  it("has everything that the plan said, and never its progress", () => {
    const task = makeTask("a", {
      dependsOn: [taskId("b")],
      filesToRead: ["r"],
      filesTouched: ["t"],
      warnings: ["w"],
      mitigations: ["m"],
      priority: 0,
      type: "checkpoint:decision",
      checkpoint: {
        message: "which?",
        actions: [{ id: "x", label: "X" }],
        defaultAction: "x",
        timeoutMs: 5,
      },
      agent: "special",
      gates: [],
      allowNoChanges: true,
      allowDeletions: true,
      claim: { status: "complete", passes: true, attemptCount: 9, notes: "n", commitSha: shaOf("x") },
      extra: { owner: "me" },
    });
    expect(toTaskFields(task)).toEqual({
      id: "a",
      title: "Do a",
      description: "What a is about.",
      acceptanceCriteria: ["a works"],
      dependsOn: ["b"],
      filesToRead: ["r"],
      filesTouched: ["t"],
      warnings: ["w"],
      mitigations: ["m"],
      priority: 0,
      type: "checkpoint:decision",
      checkpoint: { message: "which?", actions: [{ id: "x", label: "X" }], defaultAction: "x", timeoutMs: 5 },
      agent: "special",
      gates: [],
      allowNoChanges: true,
      allowDeletions: true,
      owner: "me",
    });
  });

  it("names no default action where a checkpoint has none", () => {
    const checkpoint = { message: "go?", actions: [], defaultAction: null, timeoutMs: 0 };
    expect(toTaskFields(makeTask("a", { checkpoint }))["checkpoint"]).toEqual({
      message: "go?",
      actions: [],
      timeoutMs: 0,
    });
  });
});

it("is the same plan without its progress, whatever the plan claims about it", () => {
  const claim = {
    status: "complete",
    passes: true,
    attemptCount: 2,
    notes: "n",
    commitSha: shaOf("x"),
  } as const;
  const claimed = makePrd([makeTask("a", { claim })], { createdAt: "2026-01-31", metadataExtra: { x: 1 } });
  expect(withoutProgress(claimed)).toEqual(withoutProgress(makePrd([makeTask("a")])));
  expect(withoutProgress(claimed).tasks[0]?.claim.status).toBe("pending");
});
