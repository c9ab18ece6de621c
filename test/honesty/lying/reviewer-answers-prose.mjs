// As the reviewer: answers "LGTM".
import { reportFile, write } from "../agent.mjs";

write(reportFile, "LGTM! Ship it.\n");
