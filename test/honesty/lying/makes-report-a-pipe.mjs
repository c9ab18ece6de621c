// Makes its report a pipe that nobody ever writes to.
import { execFileSync } from "node:child_process";
import { reportFile, workWell } from "../agent.mjs";

workWell();
execFileSync("mkfifo", [reportFile]);
