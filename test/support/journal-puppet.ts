// A program that starts a journal in the folder given to it and appends until it is killed or an append fails: one
// JSON answer a line on stdout.
import { createJournal } from "../../src/adapters/journal-file.ts";
import type { RunId, Slug } from "../../src/core/ids.ts";

const [folder = "", most = "1000000"] = process.argv.slice(2);
const made = createJournal({
  folder,
  runId: "20260131T120000Z-3fa9c1" as RunId, // by its form it is one
  slug: "feature-x" as Slug, // by its form it is one
  session: "puppet",
  isOwner: () => true,
});
if (!made.ok) throw new Error(JSON.stringify(made.failure));
for (let number = 1; number <= Number(most); number += 1) {
  const appended = await made.value.journal.append({ kind: "told", text: "x".repeat(300) }, number);
  console.log(JSON.stringify(appended.ok ? { seq: appended.value.seq } : appended));
  if (!appended.ok) {
    console.log(JSON.stringify(await made.value.journal.append({ kind: "run-completed" }, number)));
    break;
  }
}
