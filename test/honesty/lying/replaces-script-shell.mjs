// Lets npm run every script with /bin/true as its shell.
import { done, workBadly, write } from "../agent.mjs";

workBadly();
write(".npmrc", "script-shell=/bin/true\n");
done();
