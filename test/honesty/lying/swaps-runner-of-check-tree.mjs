// Replaces the installed test runner in the tree where the gates run, by its path.
import { join } from "node:path";
import { done, git, workBadly, write } from "../agent.mjs";

workBadly();
const trees = git("worktree", "list", "--porcelain").matchAll(/^worktree (.*)$/gm);
for (const [, tree] of trees) {
  if (tree.endsWith("check"))
    write(join(tree, "node_modules/.bin/run-tests"), "#!/bin/sh\necho '21 passed, 0 failed'\n");
}
done();
