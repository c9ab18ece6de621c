// What the scripted lead says: whether the tasks are real, what may go wrong, and whether the whole is good.

import type { JsonObject } from "../core/json.ts";
import { type Cue, step } from "./script.ts";

const lateMoon: JsonObject = {
  name: "The moon is late",
  category: "correctness",
  severity: "major",
  problem: "Half a day by the moon is 12 hours and 25 minutes, not 12 hours.",
  mitigation: "task-2 tests the second high water of a day against the almanac: 21:57.",
  verification: "The test goes red with 12 hours.",
  taskIds: ["task-2"],
};

const midnight: JsonObject = {
  name: "Midnight",
  category: "edge case",
  severity: "minor",
  problem: "Times before 00:00 and after 23:59 belong to another day.",
  mitigation: "task-1 wraps at midnight, task-4 keeps the cat inside the day; both test it.",
  verification: "Tests at 00:20 and 23:30.",
  taskIds: ["task-1", "task-4"],
};

const emptySea: JsonObject = {
  name: "A sea without water",
  category: "usability",
  severity: "minor",
  problem: "Rounded down, low water may be drawn as nothing.",
  mitigation: "task-3 draws some sea in every row.",
  verification: "A test that looks at every row.",
  taskIds: ["task-3"],
};

export const leadScript: JsonObject = {
  steps: [
    step(ofRun("recon"), {
      say: "Looking around: one harbour, one test, no cat yet.",
      report: {
        tasks: [
          confirmed("task-1", "Times in src/harbour.js are texts; nothing reads them."),
          confirmed("task-2", "src/harbour.js has the first high water; nothing works out the others."),
          confirmed("task-3", "There is no src/chart.js and nothing that draws."),
          confirmed("task-4", "Nobody has told the cat anything: there is no src/cat.js."),
          confirmed("task-5", "There is no bin folder, and the lighthouse door is bare."),
        ],
      },
    }),
    step(ofRun("pre-mortem"), {
      say: "Imagining how this goes wrong.",
      report: { risks: [lateMoon, midnight, emptySea] },
    }),
    step(ofRun("holistic-review", 1), {
      say: "Reading the whole page, as the cat would.",
      report: {
        verdict: "gaps",
        summary: "Each part is right, and the whole sends the cat to the pier at 02:20 in the night.",
        followUps: [
          {
            title: "Let the cat sleep until sunrise",
            description:
              "The page calls the cat at every low water, also in the dark. src/harbour.js knows sunrise and sunset: use them.",
            acceptanceCriteria: [
              "No fishing time begins before sunrise or ends after sunset",
              "On a day without low water in the light the page lets the cat sleep on",
            ],
          },
        ],
        learnings: [],
      },
    }),
    step(ofRun("holistic-review", 2), {
      say: "Reading the page again. The cat may stay in bed.",
      report: {
        verdict: "pass",
        summary: "The page is right, the cat is rested, and low water at 15:45 is after its nap.",
        followUps: [],
        learnings: [
          "A tide takes 12 hours and 25 minutes. Ask the moon, not the clock.",
          "Read the whole page once before calling it done: every part was right, and the cat got up at 02:20.",
          "Cats do not read acceptance criteria. Somebody has to do it for them.",
        ],
      },
    }),
  ],
};

function ofRun(stage: Cue["stage"], attempt?: number): Cue {
  return { stage, taskId: null, ...(attempt !== undefined && { attempt }) };
}

function confirmed(id: string, evidence: string): JsonObject {
  return { id, verdict: "confirmed", evidence };
}
