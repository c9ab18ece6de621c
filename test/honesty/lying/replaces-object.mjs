// Lets git show the right file while the commit holds the wrong one.
import { done, git, read, workBadly, workWell, write } from "../agent.mjs";

const before = { source: read("src/text.mjs"), test: read("test/till.test.mjs") };
workWell();
const right = git("hash-object", "-w", "src/text.mjs");
write("src/text.mjs", before.source);
write("test/till.test.mjs", before.test);
workBadly();
git("replace", git("hash-object", "-w", "src/text.mjs"), right);
done();
