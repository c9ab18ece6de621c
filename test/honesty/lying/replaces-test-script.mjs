// Replaces the test script by "true".
import { done, edit, workBadly } from "../agent.mjs";

workBadly();
edit("package.json", "node --test test/", "true");
done();
