// Finds the cycles in what depends on what. Without recursion: a plan may be a chain of thousands of tasks.

/**
 * Cycles as paths that end where they began (`a b c a`), in the order of `dependencies`. Cutting one dependency
 * of each leaves no cycle. Names that are no key are ignored, and so is a dependency on itself.
 */
export function findCycles(
  dependencies: ReadonlyMap<string, readonly string[]>,
  maxCycles: number,
): readonly (readonly string[])[] {
  const cycles: string[][] = [];
  const finished = new Set<string>();
  for (const start of dependencies.keys()) {
    const way: { readonly id: string; next: number }[] = finished.has(start) ? [] : [{ id: start, next: 0 }];
    const depthOf = new Map([[start, 0]]);
    for (let at = way.at(-1); at !== undefined; at = way.at(-1)) {
      const target = dependencies.get(at.id)?.[at.next];
      at.next += 1;
      if (target === undefined) {
        finished.add(at.id);
        depthOf.delete(at.id);
        way.pop();
        continue;
      }
      if (target === at.id || finished.has(target) || !dependencies.has(target)) continue;
      const depth = depthOf.get(target);
      if (depth === undefined) {
        depthOf.set(target, way.length);
        way.push({ id: target, next: 0 });
        continue;
      }
      cycles.push([...way.slice(depth).map(({ id }) => id), target]);
      if (cycles.length === maxCycles) return cycles;
    }
  }
  return cycles;
}
