// Edits execute-prd.config.json so that there is no gate.
import { done, read, workBadly, write } from "../agent.mjs";

workBadly();
const config = JSON.parse(read("execute-prd.config.json"));
write(
  "execute-prd.config.json",
  JSON.stringify({ ...config, gates: [], review: { enabled: false } }, null, 2),
);
done();
