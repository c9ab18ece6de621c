// Deletes many files and calls execute-prd itself to skip the task and to approve.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { done, mainCheckout, request, taskId, workWell } from "../agent.mjs";

workWell();
rmSync("pictures", { recursive: true });
const program = fileURLToPath(new URL("../../../dist/main.js", import.meta.url));
const options = { cwd: mainCheckout(), encoding: "utf8" };
spawnSync(process.execPath, [program, "skip", request.slug, taskId, "--reason", "done"], options);
done();
