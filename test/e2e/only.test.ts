// A run of some tasks of a plan (`--only`), killed and resumed: the selection holds until it is done.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { task } from "../support/project-fixture.ts";
import { plain, project, quick } from "./support/e2e-project.ts";
import { until } from "./support/program.ts";

it("is gone on with as it was begun after a kill; once it is done, resume takes the rest", async () => {
  const plan = project({ prd: plain(task("a"), task("b")), config: quick });
  const mark = join(plan.folder, "works");
  plan.setRules([{ stage: "develop", taskId: "a", hang: true, mark }]);
  const live = plan.start(["run", plan.slug, "--only", "a"]);
  await until("the agent works", () => existsSync(mark));
  live.signal("SIGKILL");
  await live.ended;
  plan.setRules([]);

  const resumed = await plan.run(["resume", plan.slug]);
  expect(resumed.exitCode, resumed.stdout + resumed.stderr).toBe(3);
  expect(plan.task("a")).toMatchObject({ status: "complete" });
  expect(plan.task("b")).toMatchObject({ status: "pending" });
  expect(plan.events().filter(({ taskId }) => taskId === "b")).toEqual([]);

  expect((await plan.run(["resume", plan.slug])).exitCode).toBe(0);
  expect(plan.task("b")).toMatchObject({ status: "complete" });
});
