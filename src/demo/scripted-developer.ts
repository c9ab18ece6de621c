// What the scripted developer does: real code and real tests, with one mistake that the tests catch and one that
// only a reader sees.

import type { JsonObject } from "../core/json.ts";
import { type Cue, step } from "./script.ts";
import cat from "./work/cat.js.txt";
import catTest from "./work/cat.test.js.txt";
import catAwakeAllNight from "./work/cat-awake-all-night.js.txt";
import catAwakeAllNightTest from "./work/cat-awake-all-night.test.js.txt";
import chart from "./work/chart.js.txt";
import chartTest from "./work/chart.test.js.txt";
import chartWithDesert from "./work/chart-with-desert.js.txt";
import chartWithDesertTest from "./work/chart-with-desert.test.js.txt";
import clock from "./work/clock.js.txt";
import clockTest from "./work/clock.test.js.txt";
import page from "./work/page.js.txt";
import pageTest from "./work/page.test.js.txt";
import pageAtNight from "./work/page-at-night.js.txt";
import pageAtNightTest from "./work/page-at-night.test.js.txt";
import program from "./work/tide-table.js.txt";
import tides from "./work/tides.js.txt";
import tidesTest from "./work/tides.test.js.txt";
import tidesTooEarly from "./work/tides-too-early.js.txt";

const showPage: JsonObject = { run: ["node", "bin/tide-table.js"] };

export const developerScript: JsonObject = {
  steps: [
    step(develop("task-1", 1), {
      say: "Winding the clock.",
      acts: [write("src/clock.js", clock), write("test/clock.test.js", clockTest)],
      report: {
        summary: "Times of day become minutes and come back as times of day.",
        reflection: "Midnight is where clocks go wrong. There is a test standing there now.",
      },
    }),
    step(develop("task-2", 1), {
      say: "Half a day is twelve hours. Obviously.",
      acts: [write("src/tides.js", tidesTooEarly), write("test/tides.test.js", tidesTest)],
      report: {
        summary: "High and low waters of a day, and the height between.",
        reflection: "Copied the times for the test from the keeper's almanac and did not look at them again.",
      },
    }),
    step(develop("task-2", 2), {
      say: "The moon is 25 minutes late. It always was.",
      acts: [write("src/tides.js", tides)],
      report: {
        summary: "A tide takes 12 hours and 25 minutes; the almanac was right.",
        reflection: "When a test from an almanac fails, suspect the code before the moon.",
      },
    }),
    step(develop("task-3", 1), {
      say: "Waves, waves, waves.",
      acts: [write("src/chart.js", chartWithDesert), write("test/chart.test.js", chartWithDesertTest)],
      report: {
        summary: "The sea in 24 rows, 12 waves wide at high water.",
        reflection: "It looks best at high water, so that is where I looked.",
      },
    }),
    step(develop("task-3", 2), {
      say: "One wave for the desert.",
      acts: [write("src/chart.js", chart), write("test/chart.test.js", chartTest)],
      report: {
        summary: "At low water a row keeps one wave, and a test looks at every row.",
        reflection: "Look at the low end of a chart too: nothing to draw is not the same as drawing nothing.",
      },
    }),
    step(develop("task-4", 1), {
      say: "Speaking to the cat. It pretends not to hear.",
      acts: [write("src/cat.js", catAwakeAllNight), write("test/cat.test.js", catAwakeAllNightTest)],
      report: {
        summary: "An hour on either side of each low water, kept inside the day as the precheck advised.",
        reflection: "The advice was good: a low water at 00:20 had the cat fishing yesterday.",
      },
    }),
    step(develop("task-5", 1), {
      say: "Hammer, nail, door.",
      acts: [
        write("src/page.js", pageAtNight),
        write("bin/tide-table.js", program),
        write("test/page.test.js", pageAtNightTest),
        showPage,
      ],
      report: {
        summary: "One page with tides, sea and cat, printed by bin/tide-table.js.",
        reflection: "Three small modules made one short page. The ears needed the most escaping.",
      },
    }),
    step(develop("follow-up-1-1", 1), {
      say: "Tiptoe.",
      acts: [
        write("src/cat.js", cat),
        write("test/cat.test.js", catTest),
        write("src/page.js", page),
        write("test/page.test.js", pageTest),
        showPage,
      ],
      report: {
        summary: "The cat fishes between sunrise and sunset, and sleeps on where there is no low water then.",
        reflection: "src/harbour.js knew the sunrise all along. Nobody had asked.",
      },
    }),
  ],
};

function develop(taskId: string, attempt: number): Cue {
  return { stage: "develop", taskId, attempt };
}

function write(path: string, text: string): JsonObject {
  return { write: path, text };
}
