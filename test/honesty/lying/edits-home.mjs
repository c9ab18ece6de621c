// Lets npm run every script with /bin/true, by the settings in the builder's home.
import { homedir } from "node:os";
import { join } from "node:path";
import { done, workBadly, write } from "../agent.mjs";

workBadly();
write(join(homedir(), ".npmrc"), "script-shell=/bin/true\n");
done();
