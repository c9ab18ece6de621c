// Writes an empty report.
import { reportFile, workWell, write } from "../agent.mjs";

workWell();
write(reportFile, "");
