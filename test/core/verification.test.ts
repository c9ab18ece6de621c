import { describe, expect, it } from "vitest";
import type { GateJudgement } from "../../src/core/gate-result.ts";
import {
  type CommitNow,
  commitMismatches,
  logMismatches,
  rerunMismatches,
} from "../../src/core/verification.ts";
import { makeCandidate, makeGate, makeTests, shaOf } from "../support/run-parts.ts";

const candidate = makeCandidate("a");
const asRecorded: CommitNow = {
  tree: candidate.tree,
  parents: [candidate.base],
  isOnBranch: true,
  diffSha256: candidate.diffSha256,
  changeCount: candidate.changeCount,
  deletions: candidate.deletions,
};

describe("a commit", () => {
  it("holds when everything is as recorded", () => {
    expect(commitMismatches(candidate, "feature/x", asRecorded)).toEqual([]);
  });

  it.each<[string, Partial<CommitNow>, RegExp]>([
    ["is not on the branch", { isOnBranch: false }, /is not on branch "feature\/x"/],
    ["has another tree", { tree: shaOf("other") }, /the tree of the commit is .*, but was/],
    ["has another parent", { parents: [shaOf("other")] }, /the parent of the commit is/],
    ["has no parent", { parents: [] }, /the parent of the commit is none/],
    ["has another diff", { diffSha256: "0" }, /diffSha256 is 0, but was/],
    ["changes another number of files", { changeCount: 7 }, /filesChanged is 7, but was 1/],
    ["deletes another number of files", { deletions: 7 }, /deletions is 7, but was 0/],
  ])("that %s is named", (_what, over, wanted) => {
    const found = commitMismatches(candidate, "feature/x", { ...asRecorded, ...over });
    expect(found).toEqual([expect.stringMatching(wanted)]);
  });

  it("that is gone is named", () => {
    expect(commitMismatches(candidate, "b", null)).toEqual([
      `commit ${candidate.commit} is not in the repository`,
    ]);
  });
});

it("a stored log has the recorded digest, or is named", () => {
  const gate = makeGate("tests");
  expect(logMismatches(gate, gate.outputSha256)).toEqual([]);
  expect(logMismatches(gate, "0")).toEqual([expect.stringContaining("outputSha256")]);
  expect(logMismatches(gate, null)).toEqual(['the stored log of gate "tests" is missing']);
});

describe("a gate that is run again", () => {
  const judgement = (over: Partial<GateJudgement> = {}): GateJudgement => ({
    gate: "tests",
    verdict: "passed",
    newFailures: [],
    excused: [],
    flaky: [],
    ...over,
  });
  const red = (names: readonly string[]) =>
    makeGate("tests", { outcome: "failed", exitCode: 1, tests: makeTests(5, names) });

  it("ends as it did", () => {
    const recorded = makeGate("tests");
    expect(rerunMismatches({ recorded, judgement: judgement(), now: makeGate("tests") })).toEqual([]);
    const excused = judgement({ verdict: "excused", excused: ["x"] });
    expect(rerunMismatches({ recorded: red(["x"]), judgement: excused, now: red(["x"]) })).toEqual([]);
  });

  it("and ends otherwise is named, with the tests that are new or gone", () => {
    const now = makeGate("tests", { outcome: "timed out", exitCode: null });
    expect(rerunMismatches({ recorded: makeGate("tests"), judgement: judgement(), now })).toEqual([
      'gate "tests" ended with exit code 0, and with timed out when it was run again',
    ]);
    expect(rerunMismatches({ recorded: red(["x"]), judgement: judgement(), now: red(["y"]) })).toEqual([
      'gate "tests" fails anew: y',
      'gate "tests" no longer fails: x',
    ]);
    const many = Array.from({ length: 21 }, (_, index) => `t${String(index).padStart(2, "0")}`);
    expect(rerunMismatches({ recorded: red([]), judgement: judgement(), now: red(many) })[0]).toMatch(
      /t19 and 1 more$/,
    );
  });

  it("may pass now where it was flaky, but not fail by another test", () => {
    const flaky = judgement({ verdict: "flaky", flaky: ["x"] });
    const recorded = red(["x"]);
    expect(rerunMismatches({ recorded, judgement: flaky, now: makeGate("tests") })).toEqual([]);
    expect(rerunMismatches({ recorded, judgement: flaky, now: red(["x", "y"]) })).toEqual([
      'gate "tests" fails anew: y',
    ]);
  });
});
