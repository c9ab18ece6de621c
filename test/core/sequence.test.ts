import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { InvariantBroken } from "../../src/core/result.ts";
import { Sequence } from "../../src/core/sequence.ts";

describe("a sequence", () => {
  test("does whatever an array does, however many items it has and whatever is done to it", () => {
    const change = fc.oneof(
      fc.record({ kind: fc.constant("push" as const), item: fc.integer() }),
      fc.record({
        kind: fc.constant("with" as const),
        item: fc.integer(),
        place: fc.double({ min: 0, max: 0.999 }),
      }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.integer(), { minLength: 0, maxLength: 400, size: "max" }),
        fc.array(change, { maxLength: 40 }),
        (items, changes) => {
          let array = items;
          let sequence = Sequence.of(items);
          for (const one of changes) {
            if (one.kind === "push") {
              array = [...array, one.item];
              sequence = sequence.push(one.item);
            } else if (array.length > 0 && Number.isFinite(one.place)) {
              const index = Math.floor(one.place * array.length);
              array = array.with(index, one.item);
              sequence = sequence.with(index, one.item);
            }
          }
          expect([...sequence]).toEqual(array);
          expect(sequence).toHaveLength(array.length);
          expect(sequence.last()).toBe(array.at(-1));
          for (const index of [0, 127, 128, 255, 256, array.length]) {
            expect(sequence.at(index)).toBe(array[index]);
          }
        },
      ),
    );
  });

  it("leaves the one it was made of as it was", () => {
    const before = Sequence.of([1, 2]);
    before.push(3);
    before.with(0, 9);
    expect([...before]).toEqual([1, 2]);
    expect([...Sequence.of()]).toEqual([]);
    expect(Sequence.of().last()).toBeUndefined();
  });

  it.each([-1, 2, 127, 128, 1_000])("refuses to replace the item %d of two", (index) => {
    expect(() => Sequence.of([1, 2]).with(index, 0)).toThrow(InvariantBroken);
  });
});
