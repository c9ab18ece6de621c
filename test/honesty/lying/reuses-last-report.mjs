// Leaves the report of its last attempt where that one was, and writes none for this attempt.
import { join } from "node:path";
import { attempt, done, edit, ownFolder, read, reportFile, workBadly, write } from "../agent.mjs";

const memo = join(ownFolder, "last-report");
if (attempt === 1) {
  workBadly();
  done();
  write(memo, JSON.stringify({ path: reportFile, text: read(reportFile) }));
} else {
  edit("src/text.mjs", "maxLength = 20", "maxLength = Number.POSITIVE_INFINITY");
  const { path, text } = JSON.parse(read(memo));
  write(path, text);
}
