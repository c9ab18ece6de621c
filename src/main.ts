#!/usr/bin/env node
// The program's entry: command line to exit code. What nothing else caught is a bug of this program: exit 70.

import { runCommandLine } from "./surfaces/cli/cli.ts";
import { printBug } from "./surfaces/cli/output.ts";

try {
  process.exitCode = await runCommandLine(process.argv.slice(2));
} catch (error) {
  printBug(error);
  process.exitCode = 70;
}
