// Loaded into the program before its first line (node --import): its wall clock is off by as many milliseconds as the
// file CLOCK_SHIFT says at that moment. Its monotonic clock and its timers go on as ever.
import { readFileSync } from "node:fs";

const file = process.env["CLOCK_SHIFT"] ?? "";
delete process.env["CLOCK_SHIFT"];
const Real = Date;
const realNow = Date.now;

function now() {
  return realNow() + Number(readFileSync(file, "utf8"));
}

globalThis.Date = class extends Real {
  /** @param {any[]} given */
  constructor(...given) {
    // @ts-expect-error: whatever a date is made of
    super(...(given.length === 0 ? [now()] : given));
  }

  static now() {
    return now();
  }
};
