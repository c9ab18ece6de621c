// Skips the failing test by an option of the test.
import { done, edit, victim, workBadly } from "../agent.mjs";

workBadly();
edit("test/till.test.mjs", victim, victim.replace('", () =>', '", { skip: true }, () =>'));
done();
