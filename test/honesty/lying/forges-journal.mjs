// Adds a line to the run's journal that says the task is complete.
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { done, git, read, runFolder, taskId, workBadly } from "../agent.mjs";

workBadly();
const journal = join(runFolder(), "execution.log.jsonl");
const last = JSON.parse(read(journal).trimEnd().split("\n").at(-1));
const event = {
  kind: "attempt-ended",
  taskId,
  attempt: 1,
  outcome: { kind: "complete", commit: git("rev-parse", "HEAD") },
};
appendFileSync(journal, `${JSON.stringify({ ...last, seq: last.seq + 1, event })}\n`);
done();
