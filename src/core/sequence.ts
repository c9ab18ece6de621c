// An immutable list for the folded state: appending or replacing one of n items copies about 128 + n/128
// references instead of n, so folding 50,000 events over thousands of tasks stays linear in practice.

import { assert } from "./result.ts";

/** Items of a part of the list; the last part may have fewer. */
export const partLength = 128;

export class Sequence<Item> implements Iterable<Item> {
  readonly #chunks: readonly (readonly Item[])[];
  readonly length: number;

  private constructor(chunks: readonly (readonly Item[])[], length: number) {
    this.#chunks = chunks;
    this.length = length;
  }

  static of<Item>(items: Iterable<Item> = []): Sequence<Item> {
    const all = [...items];
    const chunks: Item[][] = [];
    for (let from = 0; from < all.length; from += partLength) chunks.push(all.slice(from, from + partLength));
    return new Sequence(chunks, all.length);
  }

  at(index: number): Item | undefined {
    return this.#chunks[Math.floor(index / partLength)]?.[index % partLength];
  }

  last(): Item | undefined {
    return this.length === 0 ? undefined : this.at(this.length - 1);
  }

  with(index: number, item: Item): Sequence<Item> {
    const chunkIndex = Math.floor(index / partLength);
    const chunk = this.#chunks[chunkIndex];
    assert(chunk !== undefined && index < this.length, "Sequence.with: the index is in the sequence");
    const chunks = this.#chunks.with(chunkIndex, chunk.with(index % partLength, item));
    return new Sequence(chunks, this.length);
  }

  push(item: Item): Sequence<Item> {
    const lastChunk = this.#chunks.at(-1);
    const isFull = lastChunk === undefined || lastChunk.length === partLength;
    const chunks = isFull ? [...this.#chunks, [item]] : this.#chunks.with(-1, [...lastChunk, item]);
    return new Sequence(chunks, this.length + 1);
  }

  /** The items in order, in parts; a part without a change is the same list in the next sequence. */
  parts(): readonly (readonly Item[])[] {
    return this.#chunks;
  }

  *[Symbol.iterator](): Iterator<Item> {
    for (const chunk of this.#chunks) yield* chunk;
  }
}
