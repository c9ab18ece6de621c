// Keeps the program small while it works on a run: starting a process copies the page tables of the starter, so a
// heap that grows to its default size makes each agent, gate and git command dearer than what collecting garbage
// more often costs (docs/benchmark.md).

import { setFlagsFromString } from "node:v8";

/** Only where it was tried: an engine that does not know a flag says so on stderr. */
const triedEngines: readonly string[] = ["11"];

const flags = ["--semi-space-growth-factor=1", "--optimize-for-size"] as const;

export function keepHeapSmall(): void {
  const [major = ""] = process.versions.v8.split(".");
  if (triedEngines.includes(major)) for (const flag of flags) setFlagsFromString(flag);
}
