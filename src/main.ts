#!/usr/bin/env node
// The program's entry: command line to exit code. What nothing else caught is a bug of this program (exit 70), unless
// the machine has run out of what every program needs (exit 3, like a disk that refuses).

import { runCommandLine } from "./surfaces/cli/cli.ts";
import { printBug, surviveLostOutput } from "./surfaces/cli/output.ts";

const scarce = new Set(["EMFILE", "ENFILE", "ENOMEM", "ENOSPC", "EDQUOT", "EIO", "EROFS"]);

const isOutputLost = surviveLostOutput();
/** Of these the exit code says what came of the run, which is in its files as well. */
const isAtWork = ["run", "resume", "demo"].includes(process.argv[2] ?? "");

try {
  process.exitCode = await runCommandLine(process.argv.slice(2));
  process.on("exit", (code) => {
    if (code === 0 && isOutputLost() && !isAtWork) process.exitCode = 3;
  });
} catch (error) {
  const isScarce = error instanceof Error && "code" in error && scarce.has(String(error.code));
  if (isScarce) tellScarcity(error.message);
  else tellBug(error);
}

function tellScarcity(what: string): void {
  process.stderr.write(`error: the system refuses what execute-prd needs: ${what}\n`);
  process.stderr.write("What the journal has is safe; mend that, and the same command goes on from there.\n");
  process.exitCode = 3;
}

function tellBug(error: unknown): void {
  printBug(error);
  process.exitCode = 70;
}
