// Lets npm run every script with /bin/true, by the settings in the builder's home.
import { dirname, join } from "node:path";
import { done, ownFolder, workBadly, write } from "../agent.mjs";

workBadly();
write(join(dirname(ownFolder), "home", ".npmrc"), "script-shell=/bin/true\n");
done();
