// Checkpoints of a plan from outside: they wait for the builder, or answer themselves when their time has come.
import { describe, expect, it } from "vitest";
import { task } from "../support/project-fixture.ts";
import { type Project, plain, project, quick } from "./support/e2e-project.ts";

const colour = {
  message: "Which colour?",
  actions: [
    { id: "blue", label: "Blue" },
    { id: "red", label: "Red" },
  ],
};

/** Task a needs a decision, b does not. */
function decision(checkpoint: object = {}): Project {
  const a = task("a", { type: "checkpoint:decision", checkpoint: { ...colour, ...checkpoint } });
  return project({ prd: plain(a, task("b")), config: quick });
}

/** When the journal recorded the event of the kind. */
function momentOf(plan: Project, kind: string): number {
  const lines = plan.read("execution.log.jsonl").split("\n");
  return Date.parse(JSON.parse(lines.find((line) => line.includes(`"kind":"${kind}"`)) ?? "{}").at);
}

describe("a decision", () => {
  it("is asked for before the task, which other tasks do not wait for; the answer is in the prompt", async () => {
    const plan = decision();
    const blocked = await plan.run(["run", plan.slug, "--yes"]);
    expect(blocked.exitCode, blocked.stdout).toBe(4);
    expect(plan.status()).toMatchObject({
      status: "blocked",
      question: { id: "checkpoint:a", text: "Which colour?", options: colour.actions },
    });
    expect(plan.subjects()).toEqual(["Make b"]);
    expect((await plan.run(["answer", plan.slug, "checkpoint:a", "red"])).exitCode).toBe(0);
    expect((await plan.run(["resume", plan.slug])).exitCode).toBe(0);
    expect(plan.read("attempts/a/1/prompt.md")).toContain("red");
  });

  it("answers itself with its default when its time has come, and the run has stayed up for it", async () => {
    const plan = decision({ defaultAction: "blue", timeoutMs: 3_000 });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode, ended.stdout).toBe(0);
    expect(plan.read("attempts/a/1/prompt.md")).toContain("blue");
    const [answered] = plan.events().filter(({ kind }) => kind === "question-answered");
    expect(answered).toMatchObject({ text: "blue", by: "the checkpoint's time-out" });
    expect(momentOf(plan, "question-answered") - momentOf(plan, "question-asked")).toBeGreaterThanOrEqual(
      3_000,
    );
  });

  it("that nobody awaits any more is taken by the start after a crash", async () => {
    const plan = decision({ defaultAction: "skip", timeoutMs: 10_000 });
    const live = plan.start(["run", plan.slug]);
    await plan.event(({ kind, taskId }) => kind === "attempt-ended" && taskId === "b", "b is done");
    const shown = await plan.run(["status", plan.slug]);
    expect(shown.stdout).toMatch(/question checkpoint:a: Which colour\? \("skip" counts from 20.* on\)/);
    expect(plan.status()).toMatchObject({ question: { default: { answer: "skip" } } });
    live.signal("SIGKILL");
    await live.ended;
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode, ended.stdout).toBe(0);
    expect(plan.task("a")).toMatchObject({ status: "pending", notes: expect.stringContaining("skip") });
  });

  it("by the builder comes first, and is taken at once", async () => {
    const plan = decision({ defaultAction: "reject", timeoutMs: 600_000 });
    const live = plan.start(["run", plan.slug]);
    await plan.event(({ kind, taskId }) => kind === "attempt-ended" && taskId === "b", "b is done");
    expect((await plan.run(["answer", plan.slug, "red"])).exitCode).toBe(0);
    const ended = await live.ended;
    expect(ended.exitCode, ended.stdout).toBe(0);
    expect(plan.task("a")).toMatchObject({ status: "complete" });
  });
});
