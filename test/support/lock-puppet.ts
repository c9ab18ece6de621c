// A program that takes and gives back locks when told to, one JSON command a line on stdin, one answer a line on
// stdout. It stays until stdin ends.
import { createInterface } from "node:readline";
import { acquireBranchLock } from "../../src/adapters/branch-lock.ts";
import { thisProcess } from "../../src/adapters/process-identity.ts";
import { acquireRunLock, type RunLock } from "../../src/adapters/run-lock.ts";

export type PuppetCommand =
  | { readonly do: "take"; readonly folder: string; readonly token: string }
  | { readonly do: "take branch"; readonly folder: string; readonly branch: string; readonly token: string }
  | { readonly do: "release" }
  | { readonly do: "identity" };

let held: RunLock | null = null;

console.log(JSON.stringify({ ready: true }));
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line) as PuppetCommand; // only this project's tests write here
  console.log(JSON.stringify(await obey(command)));
}

async function obey(command: PuppetCommand): Promise<unknown> {
  if (command.do === "identity") return thisProcess();
  if (command.do === "release") {
    held?.release();
    held = null;
    return { released: true };
  }
  const { folder, token } = command;
  const words = { token, toolVersion: "1.2.3", about: "the puppet's run" };
  const result =
    command.do === "take"
      ? await acquireRunLock({ ...words, folder })
      : await acquireBranchLock({ ...words, commonGitDir: folder, branch: command.branch });
  if (!result.ok) return { won: false, refusal: result.failure };
  held = result.value;
  return { won: true, takenOverFrom: held.takenOverFrom };
}
