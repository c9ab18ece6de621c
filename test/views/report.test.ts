// report.md, fatal files and the commands that a builder is shown when a run has stopped.
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import type { QuestionOption } from "../../src/core/event.ts";
import type { Usage } from "../../src/core/report.ts";
import { toFatal } from "../../src/views/fatal.ts";
import { nextCommands } from "../../src/views/next-commands.ts";
import { toReport } from "../../src/views/report.ts";
import { makePolicy, makeTask, shaOf, taskId } from "../support/run-parts.ts";
import { RunStory } from "../support/run-story.ts";
import { blockedStory, completedStory } from "./feature-story.ts";

describe("the report", () => {
  test("the first lines say how the run stands and the first reason", () => {
    const [title, , count, , reason] = toReport(blockedStory().state).split("\n");
    expect(title).toBe("# feature-x: blocked");
    expect(count).toBe("2 of 5 tasks complete (1 before this run, 1 skipped by the builder). Reason:");
    expect(reason).toContain("task-4 used up its 2 attempts");
  });

  test("a reviewer that is the developer's own agent is called that", () => {
    const story = new RunStory({ tasks: [makeTask("task-1")] }).started().baseline().stage("baseline");
    story.completed("task-1");
    expect(toReport(story.state)).toContain("Reviewed by another agent (reviewer): task-1");
    const same = new RunStory({ tasks: [makeTask("task-1")] });
    for (const { event } of story.entries.slice(1)) {
      same.add(event.kind === "dispatch-started" ? { ...event, agent: "developer" } : event);
    }
    expect(toReport(same.state)).toContain(
      "The reviewer is the same agent as the developer (developer) for: task-1",
    );
  });

  test("what recon did not confirm is told with its evidence, and what it passed over as unverified", () => {
    const tasks = ["old", "a", "b", "c", "d"].map((id) => makeTask(id));
    const completedBefore = [{ taskId: taskId("old"), commit: shaOf("before") }];
    const story = new RunStory({ tasks, created: { completedBefore } })
      .started()
      .baseline()
      .stage("baseline");
    expect(toReport(story.state)).not.toContain("## Recon");
    const lines = [
      { id: taskId("a"), verdict: "phantom", evidence: "src/a.ts:1 has it" },
      { id: taskId("b"), verdict: "partial", evidence: "half of it\nis there" },
      { id: taskId("c"), verdict: "confirmed", evidence: "nothing yet" },
    ] as const;
    story.askedLead({ stage: "recon", tasks: lines });
    expect(toReport(story.state).split("## Recon\n\n")[1]?.split("\n\n")[0]).toBe(
      "- a: phantom: src/a.ts:1 has it\n- b: partial: half of it\n  is there\n- d: unverified: recon says nothing about it",
    );
  });

  test("a task completed without a review is not passed off as reviewed", () => {
    const story = new RunStory({ tasks: [makeTask("task-1")] }).started().baseline().stage("baseline");
    story.developed("task-1").candidate("task-1").gates("task-1").integrated("task-1");
    expect(toReport(story.state)).toContain("Not reviewed, the review is switched off: task-1");
  });

  test("what happened beside the work is told, also of a completed task, and why attempts came to nothing", () => {
    const story = new RunStory({ tasks: [makeTask("task-1")] }).started().baseline().stage("baseline");
    expect(toReport(story.state)).not.toMatch(/Beside the work|Attempts sent back/);
    const what = ["refs/heads/main was moved and put back"];
    story
      .developed("task-1")
      .candidate("task-1")
      .sentBack("task-1", { reason: "metadata-changed", what })
      .developed("task-1")
      .add({
        kind: "checkout-doubted",
        taskId: taskId("task-1"),
        attempt: 2,
        stage: "develop",
        what: ["a.js changed"],
      });
    const report = toReport(story.state);
    expect(report).toContain(
      `## Attempts sent back\n\n- task-1 (attempt 1): the dispatch changed the repository's metadata: ${what[0]}`,
    );
    expect(report).toContain(
      "## Beside the work\n\n- task-1 (attempt 2): during develop, not known by whom: a.js changed",
    );
  });

  test("a title cannot break the table, and nothing of agents begins a section", () => {
    const hostile = "a | b\n## Forged\n| x | y |";
    const story = new RunStory({
      tasks: [makeTask("task-1", { title: hostile })],
      prd: { goal: hostile },
    }).started();
    story.baseline().stage("baseline").completed("task-1").holistic({ summary: hostile });
    story.add({ kind: "told", text: hostile });
    const report = toReport(story.state);
    expect(report).toContain("| task-1 | a \\| b ## Forged \\| x \\| y \\| | complete | 1 |");
    expect(report).not.toMatch(/^ *(?:- )?## Forged/m);
  });

  test("gaps that the builder accepted are named as such", () => {
    const story = new RunStory({ tasks: [makeTask("task-1")] }).started().baseline().stage("baseline");
    story.completed("task-1").holistic({ verdict: "gaps", summary: "No documents." });
    story.add({
      kind: "question-asked",
      question: { id: "gaps:1", about: { kind: "gaps", round: 0 }, text: "", options: [], failure: null },
    });
    story.add({ kind: "question-answered", question: "gaps:1", text: "approve", by: "builder" });
    expect(toReport(story.state)).toContain(
      "Verdict: gaps, accepted by the builder (round 1)\n\n  No documents.",
    );
  });
});

describe("the next commands", () => {
  test("a running run is watched, a paused one resumed", () => {
    const story = new RunStory({ tasks: [] }).started();
    expect(nextCommands(story.state)[0]).toBe("execute-prd status feature-x --watch");
    story.add({ kind: "run-paused", failure: { reason: "paused-by-builder", by: "builder" } });
    expect(nextCommands(story.state)).toEqual(["execute-prd resume feature-x"]);
  });

  test("a completed run is inspected, merged and cleaned", () => {
    const base = shaOf("base").slice(0, 12);
    expect(nextCommands(completedStory().state, { baseMovedBy: 0 })).toEqual([
      `git log --oneline ${base}..feature/feature-x`,
      `git diff ${base}...feature/feature-x`,
      "execute-prd verify feature-x",
      "git switch main && git merge feature/feature-x",
      "execute-prd clean feature-x",
    ]);
  });

  test("where the base has moved, they show what came onto it", () => {
    const seen = `git log --oneline ${shaOf("base").slice(0, 12)}..main`;
    expect(nextCommands(completedStory().state, { baseMovedBy: 3 })).toContain(seen);
    expect(nextCommands(completedStory().state)).toContain(seen); // the journal knows of 2
    expect(nextCommands(completedStory().state, { baseMovedBy: null })).not.toContain(seen);
  });

  test("from a detached HEAD there is no branch to switch to", () => {
    const created = { baseName: shaOf("base") };
    const story = new RunStory({ tasks: [makeTask("task-1")], created })
      .started()
      .baseline()
      .stage("baseline");
    story.completed("task-1").holistic().add({ kind: "run-completed" });
    expect(nextCommands(story.state)).toContain("git merge feature/feature-x");
  });

  test("names that a shell would act on are quoted, and reach git as they are", () => {
    const branch = "f/$(echo x)'s;`id`";
    const story = new RunStory({ tasks: [makeTask("task-1")], created: { branch } }).started();
    story.baseline().stage("baseline").completed("task-1").holistic().add({ kind: "run-completed" });
    const merge = nextCommands(story.state).find((command) => command.startsWith("git switch"));
    const script = `git() { printf '%s\\n' "$@"; }; ${merge}`;
    expect(spawnSync("sh", ["-c", script], { encoding: "utf8" }).stdout).toBe(
      `switch\nmain\nmerge\n${branch}\n`,
    );
  });

  test.each([
    [
      { reason: "budget-projected", usedUsd: 0.4, nextUsd: 0.2, limitUsd: 0.5, taskId: null },
      " --budget-usd 1",
    ],
    [{ reason: "budget-cost", usedUsd: 25, limitUsd: 25, taskId: null }, " --budget-usd 50"],
    [{ reason: "budget-cost", usedUsd: 5, limitUsd: 5, taskId: taskId("task-1") }, ""],
    [{ reason: "budget-dispatches", used: 26, limit: 26 }, ""],
  ] as const)("a run that paused for money is resumed with more of it: %j", (failure, flag) => {
    const story = new RunStory({ tasks: [makeTask("task-1")] }).started();
    story.add({ kind: "run-paused", failure });
    expect(nextCommands(story.state)[0]).toBe(`execute-prd resume feature-x${flag}`);
  });

  test("an option that could be misread is left out; with none left, the place for words is shown", () => {
    const commands = (options: readonly QuestionOption[]) => nextCommands(askedStory(options).state)[0];
    const option = (id: string) => ({ id, label: id });
    expect(commands([option("--yes"), option("a\nb"), option("\u001b[2J"), option("use x")])).toBe(
      "execute-prd answer feature-x developer:task-1:1 'use x'",
    );
    expect(commands([option("--yes")])).toBe("execute-prd answer feature-x developer:task-1:1 'your answer'");
    expect(commands([])).toBe("execute-prd answer feature-x developer:task-1:1 'your answer'");
    expect(commands([option("$(rm -rf /)")])).toBe(
      "execute-prd answer feature-x developer:task-1:1 '$(rm -rf /)'",
    );
  });
});

describe("usage", () => {
  const tokens = {
    inputTokens: 1_000,
    cacheWriteTokens: 20,
    cacheReadTokens: 300,
    outputTokens: 40,
    model: null,
  };
  const measured: Usage = { ...tokens, costUsd: 0.5, costBasis: "measured" };
  const reported: Usage = { ...tokens, costUsd: 0.25, costBasis: "reported" };
  const unpriced: Usage = { ...tokens, costUsd: null, costBasis: "unknown" };

  test("is told by role, by task and for the run, each labelled with who counted", () => {
    const story = new RunStory({ tasks: [makeTask("a"), makeTask("b")] })
      .started()
      .baseline()
      .stage("baseline");
    story.developed("a", {}, measured).candidate("a").gates("a").reviewed("a", {}, measured).integrated("a");
    story.developed("b", {}, measured).candidate("b").gates("b").reviewed("b", {}, reported).integrated("b");
    const report = toReport(story.state);
    expect(report).toContain(
      "4 dispatches; tokens: 4,000 in, 80 written to caches, 1,200 read from caches, 160 out",
    );
    expect(report).toContain("cost $1.75, reported by the agents (3 of 4 measured)");
    for (const row of [
      "| Role | Agent | Stage | Dispatches | In | Cache written | Cache read | Out | Cost | Basis |",
      "| developer | developer | develop | 2 | 2,000 | 40 | 600 | 80 | $1.00 | measured |",
      "| reviewer | reviewer | review | 2 | 2,000 | 40 | 600 | 80 | $0.75 | reported |",
      "| all |  |  | 4 | 4,000 | 80 | 1,200 | 160 | $1.75 | reported |",
      "| a | 2 | 2,000 | 40 | 600 | 80 | $1.00 | measured |",
      "| b | 2 | 2,000 | 40 | 600 | 80 | $0.75 | reported |",
    ]) {
      expect(report.split("\n")).toContain(row);
    }
  });

  test("that nobody knows is never 0, and a sum with such a part is a lower bound", () => {
    const story = new RunStory({ tasks: [makeTask("a")] }).started().baseline().stage("baseline");
    story.developed("a").candidate("a").gates("a").reviewed("a", {}, unpriced).integrated("a");
    expect(toReport(story.state)).toContain(
      "| developer | developer | develop | 1 | ? | ? | ? | ? | ? | unknown |",
    );
    expect(toReport(story.state)).toContain("| a | 2 | 1,000 | 20 | 300 | 40 | ? | unknown |");
    story.askedLead({ stage: "recon", tasks: [] }, measured);
    expect(toReport(story.state)).toContain(
      "| all |  |  | 3 | 2,000 | 40 | 600 | 80 | at least $0.50 | unknown |",
    );
  });

  test("of an agent that is configured no more stays in the report", () => {
    const story = new RunStory({ tasks: [makeTask("a")] }).started().baseline().stage("baseline");
    story.developed("a", {}, reported);
    const { developer: _, ...agents } = makePolicy().agents;
    story.ended("a", { kind: "interrupted", by: "pause" }).started(makePolicy({ agents }));
    expect(toReport(story.state)).toContain("| developer | developer | develop | 1 |");
  });
});

describe("the fatal file", () => {
  test("it is made for a run that failed or is blocked, and for no other", () => {
    for (const state of completedStory().states) {
      const isFatal = state.phase.kind === "failed" || state.phase.kind === "blocked";
      expect(toFatal(state) !== null).toBe(isFatal);
    }
  });

  test("it names stage, event, reason, attempts and what to try", () => {
    const fatal = toFatal(blockedStory().state);
    expect(fatal?.name).toBe("fatal-20260131T090901000Z.json");
    const document = JSON.parse(fatal?.text ?? "");
    expect(document).toMatchObject({ stage: "gates", event: "run-blocked", failure: "attempts-used-up" });
    expect(document.attempts).toHaveLength(2);
    expect(document.whatToTry).toContain("execute-prd resume feature-x");
  });

  test.each([
    [{ reason: "gaps-left", rounds: 2, summary: "x" }, "holistic-review"],
    [
      { reason: "gate-red-on-base", gate: "t", command: "t", exitCode: 1, how: "failed", tail: "" },
      "baseline",
    ],
    [{ reason: "report-unusable-twice", stage: "recon", taskId: null, last: "x" }, "recon"],
    [{ reason: "agent-not-configured", agent: "x", known: [] }, "preflight"],
    [{ reason: "cancelled", by: "builder" }, "preflight"],
  ] as const)("%j stopped it in stage %s", (failure, stage) => {
    const story = new RunStory({ tasks: [] }).started(makePolicy()).add({ kind: "run-failed", failure });
    const document = JSON.parse(toFatal(story.state)?.text ?? "");
    expect(document).toMatchObject({ stage, event: "run-failed", attempts: [] });
  });
});

function askedStory(options: readonly QuestionOption[]): RunStory {
  const id = taskId("task-1");
  const story = new RunStory({ tasks: [makeTask("task-1")] }).started();
  const question = {
    id: "developer:task-1:1",
    about: { kind: "developer", taskId: id },
    text: "?",
    options,
  } as const;
  story.add({ kind: "question-asked", question: { ...question, failure: null } });
  return story.add({
    kind: "run-blocked",
    failure: { reason: "question-open", question: question.id, text: "?" },
    question: question.id,
  });
}
