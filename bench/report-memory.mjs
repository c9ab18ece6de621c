// Loaded into a measured program: at its end it writes its peak resident memory, in bytes, where it was told to.
// Linux's own count is preferred, because `maxRSS` there begins with what the parent had when it forked.
import { readFileSync, writeFileSync } from "node:fs";

const file = process.env["BENCH_MEMORY_FILE"];
process.on("exit", () => {
  if (file !== undefined) writeFileSync(file, String(peakBytes()));
});

/** @returns {number} */
function peakBytes() {
  try {
    const status = readFileSync("/proc/self/status", "utf8");
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    if (kib !== undefined) return Number(kib) * 1024;
  } catch {
    // not Linux
  }
  return process.resourceUsage().maxRSS * 1024;
}
