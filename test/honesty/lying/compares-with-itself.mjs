// Compares the result with itself.
import { done, edit, victimAssertion, workBadly } from "../agent.mjs";

workBadly();
const call = 'slugify("a very long name of a very small thing")';
edit("test/till.test.mjs", victimAssertion, `assert.equal(${call}, ${call});`);
done();
