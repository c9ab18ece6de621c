// A run of two small tasks that is killed at a named point, for tests of one thing each.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { type Event, type Project, plain, project, quick, type Rule } from "../e2e/support/e2e-project.ts";
import { type Ended, until } from "../e2e/support/program.ts";
import { task } from "../support/project-fixture.ts";

const preload = new URL("./kill-at.mjs", import.meta.url).href;

export const titles = ["Make a", "Make b", "Remember what plan-x taught"];

/** Runs the plan until the point (see kill-at.mjs). */
export async function killAt(plan: Project, point: string): Promise<void> {
  const env = { NODE_OPTIONS: `--import=${preload}`, CRASH_POINT: point };
  const killed = await plan.run(["run", plan.slug], { env });
  expect(killed.signal, `${point}: ${killed.stdout}${killed.stderr}`).toBe("SIGKILL");
}

/** Runs the plan until an agent has done the rule's code and hangs, then kills the program alone. */
export async function killInDispatch(
  rule: Rule,
  at: { config?: object; prd?: object; rules?: readonly Rule[] } = {},
): Promise<Project> {
  const plan = project({
    prd: at.prd ?? plain(task("a"), task("b", { dependsOn: ["a"] })),
    config: at.config ?? quick,
  });
  await killHanging(plan, rule, at.rules);
  return plan;
}

export async function killHanging(plan: Project, rule: Rule, others: readonly Rule[] = []): Promise<void> {
  const mark = join(plan.folder, `mark-${readdirSync(plan.folder).length}`);
  plan.setRules([{ ...rule, hang: true, mark }, ...others]);
  const live = plan.start(["run", plan.slug]);
  await until("the agent works", () => existsSync(mark));
  live.signal("SIGKILL");
  expect((await live.ended).signal).toBe("SIGKILL");
  plan.setRules(others);
}

/** The same command again, to the end. */
export async function finish(plan: Project): Promise<Ended> {
  const ended = await plan.run(["run", plan.slug]);
  expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
  expect(plan.children()).toEqual([]);
  return ended;
}

/** What agents were asked for, in order: stage, task, attempt. */
export function asked(plan: Project): string[] {
  return plan
    .events()
    .filter(({ kind }) => kind === "dispatch-started")
    .map((event) =>
      [event["stage"], event["taskId"], event["attempt"]].filter((word) => word !== null).join(" "),
    );
}

export function eventsOf(plan: Project, kind: string): Event[] {
  return plan.events().filter((event) => event.kind === kind);
}

/** The run's own folder of worktrees. */
export function laneFolder(plan: Project): string {
  const [name = ""] = readdirSync(plan.worktrees);
  return join(plan.worktrees, name, "lane-1");
}

export function runRefs(plan: Project): string[] {
  return plan.git(["for-each-ref", "--format=%(refname)", "refs/execute-prd"]).split("\n");
}

/** Each task is done once, in one attempt that counts, and the checkout is as it was. */
export function expectWhole(plan: Project): void {
  expect(plan.subjects()).toEqual(titles);
  expect(plan.status()).toMatchObject({ status: "completed", completedTasks: 2 });
  for (const id of ["a", "b"]) {
    expect(plan.task(id)).toMatchObject({ status: "complete", passes: true, attemptCount: 1 });
    expect(plan.git(["show", `${plan.branch}:${id}.txt`])).toContain(id);
  }
  expect(plan.git(["status", "--porcelain"])).toBe("");
}
