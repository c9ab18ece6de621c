// Deletes the test that its work makes fail.
import { done, edit, victim, victimAssertion, workBadly } from "../agent.mjs";

workBadly();
edit("test/till.test.mjs", `${victim}\n  ${victimAssertion}\n});\n\n`, "");
done();
