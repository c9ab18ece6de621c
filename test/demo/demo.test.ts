// The demo from beginning to end, twice: what the promise "the whole flow" comes to, and that it is always the same.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startRun } from "../../src/application/start.ts";
import type { RunEvent } from "../../src/core/event.ts";
import { describe as inWords } from "../../src/core/failure.ts";
import type { RunState } from "../../src/core/state.ts";
import { type DemoPlace, demoOutcome, makeDemo } from "../../src/demo/make-demo.ts";
import { makeTemporaryFolder } from "../support/temporary-folder.ts";

interface Played {
  readonly place: DemoPlace;
  readonly before: string;
  readonly events: readonly RunEvent[];
  readonly state: RunState;
}

const root = makeTemporaryFolder();
const home = process.env["HOME"];
let first: Played;
let second: Played;

beforeAll(async () => {
  process.env["HOME"] = join(root, "empty-home");
  mkdirSync(process.env["HOME"]);
  [first, second] = await Promise.all([play("first"), play("second")]);
}, 240_000);

afterAll(() => {
  if (home === undefined) delete process.env["HOME"];
  else process.env["HOME"] = home;
  rmSync(root, { recursive: true, force: true });
});

async function play(name: string): Promise<Played> {
  const folder = join(root, name);
  mkdirSync(folder);
  const place = await makeDemo(folder);
  const before = lookAtCheckout(place);
  const events: RunEvent[] = [];
  const ended = await startRun(
    { plan: place.slug, cwd: place.checkout },
    { onUpdate: ({ entry }) => events.push(entry.event) },
  );
  if (ended.kind !== "stopped") throw new Error(JSON.stringify(ended, null, 2));
  const { phase } = ended.state;
  if ("failure" in phase) throw new Error(inWords(phase.failure));
  return { place, before, events, state: ended.state };
}

describe("A run of the demo", () => {
  test("completes every task and the follow-up that the holistic review asked for", () => {
    expect(first.state.phase).toEqual({ kind: "completed" });
    expect([...first.state.tasks].map(({ task, phase }) => [task.id, phase.kind])).toEqual(
      [...demoOutcome.tasks, demoOutcome.followUp].map((id) => [id, "complete"]),
    );
    expect(first.state.holistic.map(({ verdict }) => verdict)).toEqual(["gaps", "pass"]);
  });

  test("sends one attempt back for a red gate and one for its review, and no other", () => {
    const rejected = first.events.flatMap((event) =>
      event.kind === "attempt-ended" && event.outcome.kind !== "accepted" ? [event] : [],
    );
    const { sentBackByGate: byGate, sentBackByReview: byReview } = demoOutcome;
    expect(rejected).toMatchObject([
      {
        taskId: byGate.taskId,
        attempt: byGate.attempt,
        outcome: {
          kind: "rejected",
          failure: {
            reason: "gates-red",
            gates: [byGate.gate],
            tests: [
              "test/tides.test.js > low water lies between, and one before breakfast",
              "test/tides.test.js > the second high water comes 12 hours and 25 minutes after the first",
            ],
          },
        },
      },
      {
        taskId: byReview.taskId,
        attempt: byReview.attempt,
        outcome: { kind: "rejected", failure: { reason: "review-rejected" } },
      },
    ]);
  });

  test("shows the stages before and after the tasks at work", () => {
    expect(first.state.recon?.map(({ verdict }) => verdict)).toEqual(Array(5).fill("confirmed"));
    expect(first.state.preMortem?.risks.map(({ taskIds }) => taskIds)).toEqual([
      ["task-2"],
      ["task-1", "task-4"],
      ["task-3"],
    ]);
    const doubted = [...first.state.tasks].filter(({ prechecks }) =>
      prechecks.some(({ verdict }) => verdict === "needs_refinement"),
    );
    expect(doubted.map(({ task }) => task.id)).toEqual(["task-4"]);
    expect([...first.state.stages.values()]).toEqual(Array(first.state.stages.size).fill("done"));
    expect(first.state.stages.size).toBeGreaterThanOrEqual(6);
  });

  test("proves every acceptance criterion of what it integrated", () => {
    for (const { task, attempts } of first.state.tasks) {
      const lines = attempts.at(-1)?.review?.criteria ?? [];
      expect(lines.map(({ verdict }) => verdict)).toEqual(task.acceptanceCriteria.map(() => "met"));
    }
  });

  test("commits what it learned on the branch", () => {
    const { memory } = first.state;
    if (memory === null || memory.entry === null) throw new Error(`no memory entry: ${memory?.note}`);
    const entry = git(first.place, "show", `${demoOutcome.branch}:${memory.entry}`);
    expect(entry).toContain("Ask the moon, not the clock.");
    const index = git(first.place, "show", `${demoOutcome.branch}:memory/MEMORY.md`);
    expect(index).toContain(memory.entry.replace("memory/", ""));
    expect(git(first.place, "rev-parse", demoOutcome.branch)).toBe(memory.commit);
  });

  test("leaves the main checkout as it was, and its trees beside it", () => {
    expect(lookAtCheckout(first.place)).toBe(first.before);
    expect(git(first.place, "status", "--porcelain")).toBe("");
    expect(readdirSync(dirname(first.place.checkout)).sort()).toEqual(["tide-table", "tide-table.worktrees"]);
    expect(existsSync(first.place.worktreeRoot)).toBe(true);
  });

  test("builds a program that works: the cat is called by day and left alone at night", () => {
    const copy = join(root, "copy");
    git(first.place, "clone", "--quiet", "--branch", demoOutcome.branch, first.place.checkout, copy);
    const [program, ...args] = demoOutcome.show;
    const page = execFileSync(program, args, { cwd: copy, encoding: "utf8" });
    expect(page).toMatch(/^Tides at Puffin Rock$/m);
    expect(page).toContain("( o.o )  Cat! Be on the pier: 14:45 to 16:45.");
    expect(page.match(/^\d\d:00 {2}~+$/gm)).toHaveLength(24);
  });

  test("claims no tokens and no cost", () => {
    expect(first.state.usage).toMatchObject({ inputTokens: 0, outputTokens: 0, priced: 0 });
  });

  test("is the same every time, but for times and what is made of them", () => {
    const files = derivedFiles(first);
    expect(files).toHaveLength(2 + 6);
    expect(derivedFiles(second)).toEqual(files);
    for (const name of files) {
      expect(withoutTimes(second, name), name).toEqual(withoutTimes(first, name));
    }
    expect(second.events.map(({ kind }) => kind)).toEqual(first.events.map(({ kind }) => kind));
  });
});

function derivedFiles({ place }: Played): readonly string[] {
  const receipts = readdirSync(join(runFolder(place), "receipts")).sort();
  return ["prd.json", "progress.md", ...receipts.map((name) => `receipts/${name}`)];
}

/** Commits differ because their messages name the run; trees and diffs must not differ. */
const madeOfTimes = new Set(
  "runId commit base commitSha durationMs outputSha256 createdAt startedAt completedAt".split(" "),
);

function withoutTimes({ place }: Played, name: string): unknown {
  const text = readFileSync(join(runFolder(place), name), "utf8");
  if (name.endsWith(".md")) return text.replace(/(?<=\*\*Commit\*\*: |, candidate )[0-9a-f]{7}\b/g, "commit");
  return JSON.parse(text, (key, value: unknown) => (madeOfTimes.has(key) ? typeof value : value));
}

function runFolder({ checkout, slug }: DemoPlace): string {
  return join(checkout, "dev/executions", slug);
}

/** Head, branch, index, stash and files of the main checkout. */
function lookAtCheckout(place: DemoPlace): string {
  const read = (name: string) => readFileSync(join(place.checkout, ".git", name));
  return [
    read("HEAD").toString(),
    read("refs/heads/main").toString(),
    read("index").toString("base64"),
    read("config").toString(),
    git(place, "stash", "list"),
    git(place, "ls-files", "--others", "--exclude-standard"),
    git(place, "diff", "HEAD", "--stat"),
  ].join("\n");
}

function git({ checkout }: DemoPlace, ...args: string[]): string {
  return execFileSync("git", ["--no-optional-locks", ...args], { cwd: checkout, encoding: "utf8" }).trimEnd();
}
