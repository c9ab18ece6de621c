import { describe, expect, it } from "vitest";
import { assert, failed, InvariantBroken, impossible, success, unreachable } from "../../src/core/result.ts";

it("is either a value or the failure that explains its absence", () => {
  expect(success(1)).toEqual({ ok: true, value: 1 });
  expect(failed("no")).toEqual({ ok: false, failure: "no" });
});

describe("a broken invariant", () => {
  it("stops the program with what should have held", () => {
    expect(() => assert(false, "one is one")).toThrow(new InvariantBroken("one is one"));
    expect(() => assert(true, "one is one")).not.toThrow();
    expect(() => impossible("two are one")).toThrow(InvariantBroken);
  });

  it("shows the variant that nobody knew", () => {
    const value = { kind: "later" } as never; // what a newer version could have written
    expect(() => unreachable(value, "read")).toThrow('read: unknown variant {"kind":"later"}');
  });
});
