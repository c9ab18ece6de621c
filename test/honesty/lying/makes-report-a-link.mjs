// Makes its report a link to a file elsewhere.
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { ownFolder, reportFile, workWell, write } from "../agent.mjs";

workWell();
const elsewhere = join(ownFolder, "report.json");
write(elsewhere, JSON.stringify({ summary: "done" }));
symlinkSync(elsewhere, reportFile);
