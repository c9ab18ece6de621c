// What the scripted reviewer says: advice before the work, and a judgement with a line for each criterion after it.

import type { JsonObject } from "../core/json.ts";
import { step } from "./script.ts";

export const reviewerScript: JsonObject = {
  steps: [
    precheckOfCat(),
    approve("task-1", { attempt: 1, score: 96 }, [
      "test/clock.test.js: there and back",
      "test/clock.test.js: there is no 24 o'clock",
      "test/clock.test.js: 25:00, 12:60 and noonish are refused",
    ]),
    approve("task-2", { attempt: 2, score: 94 }, [
      "test/tides.test.js: 09:32, then 21:57",
      "test/tides.test.js: 03:20 comes before breakfast",
      "src/tides.js: heightAt is a cosine between 0 and 1",
    ]),
    sendChartBack(),
    approve("task-3", { attempt: 2, score: 95 }, [
      "test/chart.test.js: 00:00 to 23:00",
      "test/chart.test.js: 12 waves at 10:00",
      "test/chart.test.js: some sea in every row",
    ]),
    approve("task-4", { attempt: 1, score: 93 }, [
      "test/cat.test.js: 14:45 to 16:45 around 15:45",
      "test/cat.test.js: nothing to do at 09:32",
    ]),
    approve("task-5", { attempt: 1, score: 91 }, [
      "test/page.test.js: harbour, tide and hour",
      "test/page.test.js: what the program prints is the page",
    ]),
    approve("follow-up-1-1", { attempt: 1, score: 98 }, [
      "test/page.test.js: 02:20 is gone",
      "test/page.test.js: on a day without low water in the light the cat sleeps on",
    ]),
  ],
  otherwise: { precheck: { verdict: "approved", issues: [] } },
};

function approve(
  taskId: string,
  at: { readonly attempt: number; readonly score: number },
  where: readonly string[],
): JsonObject {
  return step(
    { stage: "review", taskId, attempt: at.attempt },
    {
      say: "Reading the diff, then the tests, then the diff again.",
      report: {
        verdict: "approved",
        score: at.score,
        criteria: where.map((place, index) => ({ index, verdict: "met", where: place })),
        findings: [],
      },
    },
  );
}

/** Said in both rounds of a precheck: a script does not know which one it is, and the advice stays true. */
function precheckOfCat(): JsonObject {
  return step(
    { stage: "precheck", taskId: "task-4", try: 1 },
    {
      say: "And what if low water is at midnight?",
      report: {
        verdict: "needs_refinement",
        issues: [
          "Around a low water at 00:20 the hour before begins yesterday. Keep every time inside the day, and test it.",
        ],
      },
    },
  );
}

function sendChartBack(): JsonObject {
  return step(
    { stage: "review", taskId: "task-3", attempt: 1 },
    {
      say: "Where has the sea gone?",
      report: {
        verdict: "iterate",
        score: 62,
        criteria: [
          { index: 0, verdict: "met", where: "test/chart.test.js: 24 rows" },
          { index: 1, verdict: "met", where: "test/chart.test.js: 12 waves at 10:00" },
          {
            index: 2,
            verdict: "not met",
            where: "src/chart.js: the rows 03:00, 04:00, 15:00 and 16:00 are empty",
          },
        ],
        findings: [
          {
            severity: "major",
            file: "src/chart.js",
            line: 11,
            problem: "At low water a row has no wave at all. Puffin Rock is a harbour, not a desert.",
            fix: "Draw at least one wave in every row, and test every row.",
          },
        ],
      },
    },
  );
}
