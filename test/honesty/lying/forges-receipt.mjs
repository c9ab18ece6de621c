// Writes a receipt, a status and a prd.json that say the task is complete, and does no work.
import { join } from "node:path";
import { done, git, read, runFolder, taskId, write } from "../agent.mjs";

const commit = git("rev-parse", "HEAD");
write(
  join(runFolder(), "receipts", `${taskId}.json`),
  JSON.stringify({ facts: { taskId, commit, gates: [] } }),
);
const file = join(runFolder(), "prd.json");
write(
  file,
  read(file)
    .replace(/"status": "\w+"/g, '"status": "complete"')
    .replace(/"passes": false/g, '"passes": true'),
);
write(join(runFolder(), "status.json"), JSON.stringify({ status: "completed" }));
done();
