// Writes random bytes as its report.
import { randomBytes } from "node:crypto";
import { reportFile, workWell, write } from "../agent.mjs";

workWell();
write(reportFile, randomBytes(2_000));
