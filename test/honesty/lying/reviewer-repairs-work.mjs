// As the reviewer: moves the run's branch to a commit of its own and approves.
import { approval, git, report, runBranch, write } from "../agent.mjs";

write("src/review.mjs", "export const reviewed = true;\n");
git("add", "-A");
git("commit", "-qm", "review");
git("update-ref", `refs/heads/${runBranch()}`, "HEAD");
report(approval());
