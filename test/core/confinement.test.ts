import { describe, expect, test } from "vitest";
import { confinementOf, isConfinementNote, toConfinementNote } from "../../src/core/confinement.ts";

describe("what is said of the sandbox", () => {
  const with_ = toConfinementNote({ kind: "bubblewrap", why: null });
  const without = toConfinementNote({ kind: "", why: "bwrap is missing" });

  test("is found again among all that was told, the last of it", () => {
    expect(confinementOf(["a note", with_, "another"])).toBe("bubblewrap");
    expect(confinementOf([with_, without])).toBe(
      "none: bwrap is missing. Agents, setup and gates can read and write whatever you can",
    );
    expect(confinementOf(["a note"])).toBeNull();
  });

  test("is known from other notes", () => {
    expect([with_, without, "a note"].map(isConfinementNote)).toEqual([true, true, false]);
  });
});
