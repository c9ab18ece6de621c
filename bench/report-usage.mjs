// Loaded into a measured program: at its end it writes what it used where it was told to, as JSON
// `{ peakBytes, cpuMs }`: its largest resident memory, and the processor time of itself and of all children that it
// has waited for (null where the system does not tell).
import { readFileSync, writeFileSync } from "node:fs";

const file = process.env["BENCH_USAGE_FILE"];
process.on("exit", () => {
  if (file !== undefined) writeFileSync(file, JSON.stringify({ peakBytes: peakBytes(), cpuMs: cpuMs() }));
});

/** Linux's own count is preferred, because `maxRSS` there begins with what the parent had when it forked. */
function peakBytes() {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readOwn("status"))?.[1];
  return (kib === undefined ? process.resourceUsage().maxRSS : Number(kib)) * 1024;
}

function cpuMs() {
  const stat = readOwn("stat");
  // Behind the name, which may hold spaces: state is field 3 of the manual, utime to cstime are 14 to 17, in 1/100 s.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return stat === "" ? null : fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * 10;
}

/** @param {string} name */
function readOwn(name) {
  try {
    return readFileSync(`/proc/self/${name}`, "utf8");
  } catch {
    return ""; // not Linux
  }
}
