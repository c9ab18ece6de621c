// Returns before the failing assertion.
import { done, edit, victim, workBadly } from "../agent.mjs";

workBadly();
edit("test/till.test.mjs", victim, `${victim}\n  return;`);
done();
