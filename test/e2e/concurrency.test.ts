// Several tasks at a time: each in a lane of its own, one integration after the other.
import { describe, expect, it } from "vitest";
import { task } from "../support/project-fixture.ts";
import { plain, project, quick } from "./support/e2e-project.ts";

describe("--concurrency 3", () => {
  it("puts candidates that pass their gates at the same moment on the branch one after the other", async () => {
    const plan = project({
      prd: plain(task("a"), task("b"), task("c")),
      config: { ...quick, review: { enabled: false } },
      rules: ["a", "b", "c"].map((id) => ({
        stage: "develop",
        taskId: id,
        write: { "hang.txt": "x", [`${id}.txt`]: id },
      })),
    });
    const live = plan.start(["run", plan.slug, "--concurrency", "3"]);
    const gates = () =>
      plan.events().filter((event) => event.kind === "gate-started" && event["taskId"] !== null);
    await plan.event(() => gates().length === 3, "all three gates run");
    expect(plan.status()["activeTaskIds"]).toEqual(["a", "b", "c"]);
    plan.letGo();
    const ended = await live.ended;
    expect(ended.exitCode, ended.stdout).toBe(0);
    expect(plan.subjects().slice(0, 3).toSorted()).toEqual(["Make a", "Make b", "Make c"]);
    for (const id of ["a", "b", "c"]) {
      expect(plan.task(id)).toMatchObject({ status: "complete", attemptCount: 1 });
      expect(plan.git(["show", `${plan.branch}:${id}.txt`])).toBe(id);
    }
    expect(plan.children()).toEqual([]);
  });
});
