// Answers with prose where a report is asked for.
import { reportFile, workWell, write } from "../agent.mjs";

workWell();
write(reportFile, "I have implemented the feature and all tests pass. The task is complete!\n");
