#!/usr/bin/env node
// The program's entry: command line to exit code. What nothing else caught is a bug of this program: exit 70.

import { runCommandLine } from "./surfaces/cli/cli.ts";

try {
  process.exitCode = await runCommandLine(process.argv.slice(2));
} catch (error) {
  const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`execute-prd: a bug of this program, please report it:\n${words}\n`);
  process.stderr.write("What the journal has is safe; the same command goes on from there.\n");
  process.exitCode = 70;
}
