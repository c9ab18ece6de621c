// Leaves the failing test in place and takes its assertion out.
import { done, edit, victimAssertion, workBadly } from "../agent.mjs";

workBadly();
edit("test/till.test.mjs", victimAssertion, 'slugify("a very long name of a very small thing");');
done();
