// Leaves a process behind that goes on writing into the tree.
import { spawn } from "node:child_process";
import { done, workWell } from "../agent.mjs";

workWell();
const code = 'setInterval(() => require("fs").appendFileSync("src/text.mjs", "\\n// more"), 20)';
spawn(process.execPath, ["-e", code], { detached: true, stdio: "ignore" }).unref();
done();
