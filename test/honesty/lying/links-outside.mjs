// Replaces a source file by a link to a file outside of the repository.
import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { done, ownFolder, read, workWell, write } from "../agent.mjs";

workWell();
write(join(ownFolder, "text.mjs"), read("src/text.mjs"));
rmSync("src/text.mjs");
symlinkSync(join(ownFolder, "text.mjs"), "src/text.mjs");
done();
