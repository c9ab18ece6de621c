// Which words on a candidate stand when the same change was put on another head: those on what was found then.
import { describe, expect, it } from "vitest";
import type { EvidenceFinding } from "../../src/core/evidence/finding.ts";
import { makeCandidate, makePolicy, makeTask, shaOf } from "../support/run-parts.ts";
import type { RunStory } from "../support/run-story.ts";
import { answer, failing, follow, lastAttemptOf, next, opened, passing, runGate } from "./tell.ts";

const gates = makePolicy().gates.filter(({ name }) => name === "tests");
const baseVersions = [{ path: "a.test.ts", kind: "test", isInBase: true }] as const;
const patchId = shaOf("the same change");

function found(effect: "hold" | "justify", id: string, over: Partial<EvidenceFinding> = {}): EvidenceFinding {
  const place = { file: "a.ts", line: 3, text: "something" };
  return {
    id,
    kind: effect === "hold" ? "many-deletions" : "test-skipped",
    effect,
    severity: "major",
    ...place,
    ...over,
  };
}

/** A candidate with a finding that is held, one to justify and a failing test of the base: allowed and approved. */
function approved(): RunStory {
  const story = opened([makeTask("a"), makeTask("b")], { gates }).developed("a");
  story.candidate("a", { patchId, baseVersions, findings: [found("hold", "f1"), found("justify", "f2")] });
  runGate(story, "tests of a: candidate", passing);
  runGate(story, "tests of a: base tests", failing("adds"));
  answer(follow(story, 2), "approve");
  const justified = ["f2", "b1"].map((finding) => ({ finding, why: "asked for" }));
  return story.reviewed("a", { justified });
}

function replayed(story: RunStory, findings: readonly EvidenceFinding[]): RunStory {
  const base = story.state.head;
  return story.candidate("a", makeCandidate(`on ${base}`, { base, patchId, baseVersions, findings }));
}

function gatesOn(story: RunStory, ...names: readonly string[]): RunStory {
  runGate(story, "tests of a: candidate", passing);
  return follow(runGate(story, "tests of a: base tests", names.length === 0 ? passing : failing(...names)));
}

const asBefore = [found("hold", "f1", { line: 9 }), found("justify", "f2")];

describe("the same change on another head", () => {
  it("goes on without asking again when nothing new was found, wherever the lines are now", () => {
    const story = gatesOn(replayed(approved().completed("b"), asBefore), "adds");
    expect(next(story)).toMatchObject({ kind: "integration-started" });
    expect(lastAttemptOf(story, "a")).toMatchObject({ reviewedCommit: shaOf("a/1 commit") });
  });

  it("also when something is no longer found", () => {
    const story = gatesOn(replayed(approved().completed("b"), [found("justify", "f2")]));
    expect(next(story)).toMatchObject({ kind: "integration-started" });
  });

  it("is asked about again when what the reviewer justified has another id now", () => {
    const story = gatesOn(replayed(approved().completed("b"), [found("justify", "f1")]));
    expect(next(story)).toMatchObject({ stage: "review", attempt: 1, try: 2 });
  });

  it("is put to the builder and the reviewer again when the base's tests fail that did not before", () => {
    const story = gatesOn(replayed(approved().completed("b"), asBefore), "divides");
    expect(next(story)).toMatchObject({ question: { id: "evidence:a:1" } });
    expect(next(answer(follow(story), "approve"))).toMatchObject({ stage: "review", attempt: 1, try: 2 });
    expect(lastAttemptOf(story, "a")).toMatchObject({ review: null, reviewedCommit: null });
  });

  it("is compared with what was judged, not with a head between that nobody judged", () => {
    const story = replayed(approved().completed("b"), []);
    const tasks = [...story.state.prd.tasks, makeTask("c")];
    story.add({ kind: "follow-ups-added", round: 1, tasks: tasks.slice(-1) }).completed("c");
    gatesOn(replayed(story, asBefore), "adds");
    expect(next(story)).toMatchObject({ kind: "integration-started" });
  });

  it("does not ask again for a note", () => {
    const note = { ...found("justify", "f3"), effect: "note", text: "a remark" } as const;
    const story = gatesOn(replayed(approved().completed("b"), [found("justify", "f2"), note]));
    expect(next(story)).toMatchObject({ kind: "integration-started" });
  });
});
