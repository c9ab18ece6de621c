// Does the work and writes no report.
import { workWell } from "../agent.mjs";

workWell();
