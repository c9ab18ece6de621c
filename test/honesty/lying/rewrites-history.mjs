// Rewrites the history of main and of the run's branch into one commit without parents.
import { done, git, runBranch, workBadly } from "../agent.mjs";

workBadly();
git("add", "-A");
const root = git("commit-tree", "-m", "start", git("write-tree"));
git("update-ref", "refs/heads/main", root);
git("update-ref", `refs/heads/${runBranch()}`, root);
git("update-ref", "--no-deref", "HEAD", root);
done();
