// Repairs its wrong file where only the work tree has it, and hides that from git.
import { done, git, workBadly, write } from "../agent.mjs";

workBadly();
git("commit", "-qam", "short slugs");
git("update-index", "--assume-unchanged", "test/till.test.mjs");
write("test/till.test.mjs", "// slugify titleCase padLine totalOf receiptOf toCents formatCents addTax\n");
done();
