import { expect, it } from "vitest";
import { criteriaStates } from "../../src/core/criteria.ts";
import type { CriterionLine } from "../../src/core/report.ts";
import { makeReview, makeTask } from "../support/run-parts.ts";
import { lastAttemptOf, opened, recordOf } from "./tell.ts";

function states(criteria: readonly CriterionLine[] | null) {
  const story = opened([makeTask("a", { acceptanceCriteria: ["one", "two"] })]);
  story.developed("a").candidate("a").gates("a");
  if (criteria !== null) story.reviewed("a", makeReview({ criteria }));
  return criteriaStates(recordOf(story, "a"), lastAttemptOf(story, "a")).map(
    ({ criterion, verdict, where }) => [criterion, verdict, where],
  );
}

it("a criterion has the worst word that the review said of it, and is unproven without one", () => {
  const lines: readonly CriterionLine[] = [
    { index: 1, verdict: "met", where: "here" },
    { index: 1, verdict: "not met", where: "there" },
    { index: 1, verdict: "cannot tell", where: "" },
    { index: 7, verdict: "met", where: "nowhere" },
  ];
  expect(states(lines)).toEqual([
    ["one", "unproven", ""],
    ["two", "not met", "there"],
  ]);
});

it("without a review every criterion is unproven", () => {
  expect(states(null)).toEqual([
    ["one", "unproven", ""],
    ["two", "unproven", ""],
  ]);
});
