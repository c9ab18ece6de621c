// What a piece of work costs in processor time of this process: unlike the wall clock it does not suffer from what
// else the machine does.

/** What `work` gave, and the milliseconds. */
export function timed<Value>(work: () => Value): { readonly value: Value; readonly ms: number } {
  const before = process.cpuUsage();
  const value = work();
  const { user, system } = process.cpuUsage(before);
  return { value, ms: (user + system) / 1_000 };
}
