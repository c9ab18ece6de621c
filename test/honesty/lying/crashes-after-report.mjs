// Writes a fine report and then crashes.
import { done, workWell } from "../agent.mjs";

workWell();
done();
process.exitCode = 3;
