// What an agent says of its service instead of a report, read as strictly as a report.

import { describe, expect, test } from "vitest";
import { readSaidFailure } from "../../src/schema/report-failure.ts";

function read(value: unknown) {
  return readSaidFailure({ bytes: Buffer.from(JSON.stringify(value)), agent: "second", nowMs: 1_000_000 });
}

describe("A failure that an agent says", () => {
  test.each([
    [
      { kind: "rate-limited", message: "slow" },
      { reason: "rate-limited", resetAtMs: null, detail: "slow" },
    ],
    [
      { kind: "rate-limited", message: "slow", retryAfterMs: 500 },
      { reason: "rate-limited", resetAtMs: 1_000_500 },
    ],
    [
      { kind: "rate-limited", message: "slow", retryAfterMs: 5, resetAt: "2031-01-01T02:00:00+02:00" },
      { reason: "rate-limited", resetAtMs: Date.UTC(2031, 0, 1) },
    ],
    [
      { kind: "service-failed", message: "down" },
      { reason: "service-failed", status: null, detail: "down" },
    ],
    [
      { kind: "not-logged-in", message: "who?" },
      { reason: "not-logged-in", detail: "who?" },
    ],
    [
      { kind: "credit-empty", message: "pay" },
      { reason: "credit-empty", detail: "pay" },
    ],
    [
      { kind: "request-refused", message: "no" },
      { reason: "request-refused", status: null, detail: "no" },
    ],
  ])("%j is one of ours", (failure, wanted) => {
    expect(read({ failure, usage: { inputTokens: 1, outputTokens: 2 } })).toMatchObject({
      ok: true,
      value: { agent: "second", ...wanted },
    });
  });

  test("has its words in one line", () => {
    const said = read({ failure: { kind: "service-failed", message: "down\n\n completed: all of it\n" } });
    expect(said).toMatchObject({ ok: true, value: { detail: "down completed: all of it" } });
  });

  test.each([
    [{ failure: "rate-limited" }, "failure"],
    [{ failure: { kind: "tired", message: "x" } }, "failure.kind"],
    [{ failure: { kind: "rate-limitd", message: "x" } }, 'did you mean "rate-limited"?'],
    [{ failure: { kind: "rate-limited", message: " " } }, "failure.message"],
    [{ failure: { kind: "rate-limited", message: "x", retryAfterMs: -1 } }, "failure.retryAfterMs"],
    [{ failure: { kind: "rate-limited", message: "x", resetAt: "soon" } }, "failure.resetAt"],
    [{ failure: { kind: "rate-limited", message: "x", retryAfter: 1 } }, "retryAfterMs"],
    [{ failure: { kind: "rate-limited", message: "x" }, summary: "done" }, "summary"],
  ])("%j is neither a failure nor a report", (value, problem) => {
    const said = read(value);
    expect(said).toMatchObject({ ok: false });
    expect(said !== null && !said.ok && said.failure.join()).toContain(problem);
  });

  test("has control characters taken out and is cut", () => {
    const said = read({ failure: { kind: "credit-empty", message: `\u001b[2J${"x".repeat(9_000)}` } });
    const detail = said?.ok === true && "detail" in said.value ? said.value.detail : "";
    expect(detail.startsWith("[2Jx")).toBe(true);
    expect(detail.length).toBe(4_000);
  });

  test.each([{ summary: "done" }, [1], "x", null])("is not in %j", (value) => {
    expect(read(value)).toBeNull();
  });
});
