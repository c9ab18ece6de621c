// Counting, grouping and ordering by keys.

/** How often each key occurs. */
export class Tally {
  readonly #counts = new Map<string, number>();

  constructor(keys: Iterable<string> = []) {
    for (const key of keys) this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  /** Takes one away; false: none was left. */
  take(key: string): boolean {
    const count = this.#counts.get(key) ?? 0;
    if (count > 0) this.#counts.set(key, count - 1);
    return count > 0;
  }
}

/** The items whose key is not among the keys, each key being used up by one item. */
export function withoutKeys<Item>(
  items: readonly Item[],
  keys: Iterable<string>,
  keyOf: (item: Item) => string,
): Item[] {
  const left = new Tally(keys);
  return items.filter((item) => !left.take(keyOf(item)));
}

/** In the order in which the keys first occur. */
export function groupBy<Item>(items: Iterable<Item>, keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [item]);
    else known.push(item);
  }
  return groups;
}

/** Plain code point order, the same on every machine. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
