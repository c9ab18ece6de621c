// The owner file: what is read from it, and what is refused.
import { describe, expect, test } from "vitest";
import { decodeOwner, encodeOwner, type Owner } from "../../src/schema/owner.ts";

const owner: Owner = {
  pid: 12,
  startTime: "345",
  bootId: null,
  host: "here",
  pidNamespace: "pid:[1]",
  token: "abc",
  startedAt: "2026-01-01T12:00:00.000Z",
  toolVersion: "1.0.0",
  about: 'run "x"',
  isHolding: false,
};

test("an owner is read as it was written", () => {
  expect(decodeOwner(encodeOwner(owner))).toEqual({ ok: true, value: owner });
});

test("fields that an earlier version did not write have a meaning", () => {
  const { pid, startTime, bootId, host, token, startedAt } = owner;
  const written = { pid, startTime, bootId, host, token, startedAt };
  expect(decodeOwner(JSON.stringify(written))).toEqual({
    ok: true,
    value: { ...written, pidNamespace: null, toolVersion: "unknown", about: "", isHolding: true },
  });
});

describe("what is no owner is refused with everything that is wrong with it", () => {
  test.each([
    ["not JSON at all", "{", "it is not JSON"],
    ["a list", "[]", "it is not a JSON object"],
    ["null", "null", "it is not a JSON object"],
    ["a pid of 0", JSON.stringify({ ...owner, pid: 0 }), "pid: a whole number over 0 is wanted"],
    ["a pid in words", JSON.stringify({ ...owner, pid: "12" }), "pid: a whole number over 0 is wanted"],
    ["no token", JSON.stringify({ ...owner, token: undefined }), "token: a text is wanted"],
    [
      "no start time",
      JSON.stringify({ ...owner, startTime: undefined }),
      "startTime: a text or null is wanted",
    ],
    [
      "a word for a truth",
      JSON.stringify({ ...owner, isHolding: "no" }),
      "isHolding: true or false is wanted",
    ],
    [
      "two at once",
      JSON.stringify({ ...owner, host: 1, about: 2 }),
      "host: a text is wanted; about: a text is wanted",
    ],
  ])("%s", (_name, text, failure) => {
    expect(decodeOwner(text)).toEqual({ ok: false, failure });
  });
});
