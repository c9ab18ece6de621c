// As the reviewer: changes files and commits in the tree that it should read.
import { approval, edit, git, report, write } from "../agent.mjs";

edit("src/text.mjs", "maxLength = Number.POSITIVE_INFINITY", "maxLength = 3");
write("src/review.mjs", "export const reviewed = true;\n");
git("add", "-A");
git("commit", "-qm", "review");
report(approval());
