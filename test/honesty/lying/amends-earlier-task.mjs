// Amends the commit of the task before instead of working.
import { appendFileSync } from "node:fs";
import { done, git, runBranch, taskId, workWell } from "../agent.mjs";

if (taskId === "short-slugs") {
  workWell();
} else {
  appendFileSync("docs/prices.md", "\nPrices are shown with a sign.\n");
  git("commit", "-qa", "--amend", "--no-edit");
  git("update-ref", `refs/heads/${runBranch()}`, "HEAD");
}
done();
