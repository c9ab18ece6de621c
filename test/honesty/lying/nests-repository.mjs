// Makes a repository of its own within the repository and works there.
import { done, git, workWell, write } from "../agent.mjs";

workWell();
write("vendor/lib/index.mjs", "export const lib = 1;\n");
git("init", "-q", "vendor/lib");
git("-C", "vendor/lib", "add", "-A");
git("-C", "vendor/lib", "commit", "-qm", "lib");
done();
