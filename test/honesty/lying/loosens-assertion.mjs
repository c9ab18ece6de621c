// Replaces the failing assertion by one that nearly everything fulfils.
import { done, edit, victimAssertion, workBadly } from "../agent.mjs";

workBadly();
edit("test/till.test.mjs", victimAssertion, 'assert.ok(slugify("a very long name of a very small thing"));');
done();
