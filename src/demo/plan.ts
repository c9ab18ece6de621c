// The demo's PRD: five tasks that tell a story. The sixth is found on the way.

import type { JsonObject } from "../core/json.ts";

export const demoPrd: JsonObject = {
  name: "A tide table for a cat",
  branchName: "feature/fishing-cat",
  goal: "The cat of the lighthouse at Puffin Rock knows when to be on the pier.",
  userStories: [
    {
      id: "task-1",
      title: "Teach the lighthouse to tell the time",
      description:
        "src/clock.js: `toMinutes` reads a time of day such as 09:32 as minutes after midnight, `toClock` goes back.",
      acceptanceCriteria: [
        "09:32 is minute 572, and minute 572 is 09:32",
        "There is no 24 o'clock: a day later it is 00:00 again",
        "What is no time of day is refused with a RangeError",
      ],
      filesTouched: ["src/clock.js", "test/clock.test.js"],
    },
    {
      id: "task-2",
      title: "Ask the moon when the water comes",
      description:
        "src/tides.js: `tidesOf` lists the high and low waters of a day, given its first high water; `heightAt` says how high the water stands at a minute of it.",
      acceptanceCriteria: [
        "After high water at 09:32 the next one is at 21:57",
        "Low waters lie half-way between, also one before the first high water",
        "The height is 1 at high water and 0 at low water",
      ],
      dependsOn: ["task-1"],
      filesToRead: ["src/harbour.js"],
      filesTouched: ["src/tides.js", "test/tides.test.js"],
    },
    {
      id: "task-3",
      title: "Draw the sea, one line an hour",
      description: "src/chart.js: `chartOf` draws the day as rows of waves, the wider the higher.",
      acceptanceCriteria: [
        "There are 24 rows, from 00:00 to 23:00",
        "The rows next to high water are the widest: 12 waves",
        "Every row shows some sea",
      ],
      dependsOn: ["task-2"],
      filesTouched: ["src/chart.js", "test/chart.test.js"],
    },
    {
      id: "task-4",
      title: "Tell the cat when to go fishing",
      description: "src/cat.js: `fishingTimes` lists the times at which fish are within reach of a paw.",
      acceptanceCriteria: [
        "The cat fishes an hour before each low water and an hour after",
        "At high water the cat stays dry",
      ],
      dependsOn: ["task-2"],
      filesTouched: ["src/cat.js", "test/cat.test.js"],
    },
    {
      id: "task-5",
      title: "Nail it all to the lighthouse door",
      description:
        "src/page.js: `pageOf` puts tides, sea and cat on one page; bin/tide-table.js prints it. The page has a cat on it.",
      acceptanceCriteria: [
        "The page names the harbour, its tides and the hours of the cat",
        "`node bin/tide-table.js` prints the page",
      ],
      dependsOn: ["task-3", "task-4"],
      filesToRead: ["src/harbour.js"],
      filesTouched: ["bin/tide-table.js", "src/page.js", "test/page.test.js"],
    },
  ],
  globalConstraints: ["Plain JavaScript modules, no packages", "src returns values, only bin prints"],
  requiredReading: ["README.md"],
};
