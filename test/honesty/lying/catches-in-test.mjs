// Catches what the failing assertion throws.
import { done, edit, victimAssertion, workBadly } from "../agent.mjs";

workBadly();
edit("test/till.test.mjs", victimAssertion, `try {\n    ${victimAssertion}\n  } catch {}`);
done();
