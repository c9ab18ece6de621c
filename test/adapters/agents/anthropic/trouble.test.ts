// What goes wrong at the service: what is waited for, what is tried again, what ends the dispatch.

import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { limitEndMs, retryAfterMs } from "../../../../src/adapters/agents/anthropic/wait-headers.ts";
import { limits } from "../../../../src/core/limits.ts";
import { call, type Reply } from "../../../support/anthropic-server.ts";
import { calling, failureOf, quickRetry, reporting, work, workWell } from "./work.ts";

const nowMs = Date.UTC(2026, 10, 21, 12);

describe("A limit", () => {
  test.each([
    ["retry-after-ms", "40"],
    ["retry-after", "0.04"],
  ])("of %s is waited for, and told", async (name, value) => {
    const limited: Reply = { status: 429, headers: { [name]: value } };
    const worked = await workWell([limited, limited, limited, limited, reporting()]);
    expect(worked.outcome.kind).toBe("answered");
    expect(worked.waits.length).toBe(4);
    expect(worked.waits[0]?.failure).toMatchObject({ reason: "rate-limited", resetAtMs: expect.any(Number) });
    expect(worked.transcript).toContain('"event":"wait"');
  });

  test("of more than a minute is the engine's to wait for", async () => {
    const before = Date.now();
    const worked = await workWell([{ status: 429, headers: { "retry-after": "600" } }]);
    const failure = failureOf(worked);
    expect(failure).toMatchObject({ reason: "rate-limited", detail: "rate_limit_error: scripted" });
    const resetAtMs =
      typeof failure === "object" && failure.reason === "rate-limited" ? failure.resetAtMs : 0;
    expect(Number(resetAtMs) - before).toBeGreaterThanOrEqual(600_000);
    expect(Number(resetAtMs) - before).toBeLessThan(610_000);
    expect(worked.waits).toEqual([]);
  });

  test("without an end is tried again as often as the policy says", async () => {
    const worked = await workWell(() => ({ status: 429 }));
    expect(failureOf(worked)).toMatchObject({ reason: "rate-limited", resetAtMs: null });
    expect(worked.server.asked.length).toBe(1 + quickRetry.maxRetries);
  });

  test.each([
    [{ "retry-after": "7" }, 7_000],
    [{ "retry-after-ms": "250", "retry-after": "7" }, 250],
    [{ "retry-after": "Sat, 21 Nov 2026 12:00:30 GMT" }, 30_000],
    [{ "retry-after": "Sat, 21 Nov 2026 11:00:00 GMT" }, 0],
    [{ "retry-after": "Sun, 21 Nov 2027 12:00:00 GMT" }, 365 * 24 * 3_600_000],
    [{ "retry-after": "99999999999999" }, limits.latestMomentMs - nowMs],
    [{ "retry-after": "soon" }, null],
    [{ "anthropic-ratelimit-requests-reset": "2026-11-21T12:00:09Z" }, 9_000],
    [
      {
        "anthropic-ratelimit-requests-reset": "2026-11-21T12:00:01Z",
        "anthropic-ratelimit-requests-remaining": "40",
        "anthropic-ratelimit-tokens-reset": "2026-11-21T12:00:20Z",
        "anthropic-ratelimit-tokens-remaining": "0",
      },
      20_000,
    ],
    [{}, null],
  ] as readonly (readonly [Record<string, string>, number | null])[])(
    "in the headers %j ends in %s ms",
    (headers, wait) => {
      expect(limitEndMs(new Headers(headers), nowMs)).toBe(wait);
    },
  );

  test("that is not reached says nothing about another trouble", () => {
    const headers = new Headers({ "anthropic-ratelimit-tokens-reset": "2026-11-21T12:00:20Z" });
    expect(retryAfterMs(headers, nowMs)).toBeNull();
  });
});

test.each(["pause", "fallback"] as const)(
  "A limit ends the dispatch where the run is to %s",
  async (onRateLimit) => {
    const limit = { status: 429, headers: { "retry-after": "0.1" } };
    const worked = await workWell(() => limit, { request: { onRateLimit } });
    expect(failureOf(worked)).toMatchObject({ reason: "rate-limited", resetAtMs: expect.any(Number) });
    expect(worked.server.asked).toHaveLength(1);
    expect(worked.waits).toEqual([]);
  },
);

describe("A trouble that may pass", () => {
  const ran = () => ({ content: [call("bash", { command: "echo ran >> ran.txt" })] });
  const broken = (what: "break" | "end") => ({ ...ran(), after: { events: 4, what } });
  const overloaded = { ...ran(), after: { events: 4, what: { type: "overloaded_error", message: "busy" } } };

  test.each([
    ["529", { status: 529 }],
    ["500", { status: 500 }],
    ["503 with a wait", { status: 503, headers: { "retry-after": "0.02" } }],
    ["408", { status: 408 }],
    ["a broken stream", broken("break")],
    ["a stream without an end", broken("end")],
    ["an error in the stream", overloaded],
  ] as readonly (readonly [string, Reply])[])("is tried again: %s", async (_, trouble) => {
    const worked = await workWell([trouble, trouble, ran(), trouble, reporting()]);
    expect(worked.outcome.kind).toBe("answered");
    expect(await readFile(join(worked.place.lane, "ran.txt"), "utf8")).toBe("ran\n");
    expect(worked.waits.length).toBe(3);
    expect(worked.waits[0]?.failure.reason).toBe("service-failed");
    const [first, second, third] = worked.server.asked.map(({ body }) => body.messages);
    expect(second).toEqual(first);
    expect(third).toEqual(first);
  });

  test("is the end after so many tries", async () => {
    const worked = await workWell(() => ({ status: 529, error: { message: "busy" } }));
    const failure = {
      reason: "service-failed",
      agent: "developer",
      status: 529,
      detail: "overloaded_error: busy",
      tries: 3,
    };
    expect(failureOf(worked)).toEqual(failure);
    expect(worked.server.asked.length).toBe(1 + quickRetry.maxRetries);
    const patient = { maxRetries: 0, backoffBaseMs: 1, backoffMaxMs: 1 };
    expect(
      (await workWell(() => ({ status: 529 }), { request: { retry: patient } })).server.asked.length,
    ).toBe(1);
  });

  test("is not tried again where the service says so, or wants too long a wait", async () => {
    const told = await workWell(() => ({ status: 500, headers: { "x-should-retry": "false" } }));
    expect(told.server.asked.length).toBe(1);
    const long = await workWell(() => ({ status: 503, headers: { "retry-after": "600" } }));
    expect([failureOf(long), long.server.asked.length]).toMatchObject([{ reason: "service-failed" }, 1]);
  });

  test("counts what a broken answer used", async () => {
    const worked = await workWell([broken("break"), reporting()]);
    const whole = worked.server.asked.reduce(
      (all, { usage }) =>
        all +
        Number(usage?.["input_tokens"]) +
        Number(usage?.["cache_creation_input_tokens"]) +
        Number(usage?.["cache_read_input_tokens"]),
      0,
    );
    const { inputTokens = 0, cacheReadTokens = 0, cacheWriteTokens = 0 } = worked.usage ?? {};
    expect(inputTokens + cacheReadTokens + cacheWriteTokens).toBe(whole);
  });

  test("may be a service that says nothing more, or one that is not there", async () => {
    const silent = { content: "x", after: { events: 2, what: "silence" } } as const;
    const worked = await workWell([silent, reporting()], { bounds: { silenceMs: 150 } });
    expect(worked.outcome.kind).toBe("answered");
    expect(worked.waits[0]?.failure).toMatchObject({ reason: "service-failed", status: null });
    const url = `http://127.0.0.1:${await findFreePort()}`;
    const gone = await work([], { environment: { ANTHROPIC_BASE_URL: url } });
    expect(failureOf(gone)).toMatchObject({ reason: "service-failed", status: null });
    expect(gone.waits.length).toBe(quickRetry.maxRetries);
  });

  test("uses up nothing of the next request's tries", async () => {
    const busy = { status: 529 };
    const look = () => calling(["glob", { pattern: `${Math.random()}` }]);
    const worked = await workWell([busy, busy, look(), busy, busy, look(), busy, busy, reporting()]);
    expect(worked.outcome.kind).toBe("answered");
  });
});

describe("A trouble that stays", () => {
  test.each([
    [{ status: 401 }, { reason: "not-logged-in" }],
    [{ status: 403 }, { reason: "not-logged-in" }],
    [{ status: 402 }, { reason: "credit-empty" }],
    [{ status: 400, type: "billing_error" }, { reason: "credit-empty" }],
    [
      { status: 400, error: { message: "your credit balance is too low" } },
      { reason: "request-refused", status: 400 },
    ],
    [{ status: 404 }, { reason: "request-refused", status: 404 }],
    [{ status: 422 }, { reason: "request-refused", status: 422 }],
    [
      { content: "", after: { events: 1, what: { type: "authentication_error" } } },
      { reason: "not-logged-in" },
    ],
    [{ content: "", after: { events: 1, what: { type: "billing_error" } } }, { reason: "credit-empty" }],
    [
      { content: "", after: { events: 1, what: { type: "invalid_request_error" } } },
      { reason: "request-refused" },
    ],
  ] as readonly (readonly [Reply, object])[])("%j is %j at once", async (reply, failure) => {
    const worked = await workWell(() => reply);
    expect(failureOf(worked)).toMatchObject({ agent: "developer", ...failure });
    expect(worked.server.asked.length).toBe(1);
    expect(worked.waits).toEqual([]);
  });

  test("keeps no secret and no flood in the service's words", async () => {
    const message = `sk-test-0123456789abcdefghij ${"x".repeat(10_000)}`;
    const worked = await workWell([{ status: 404, error: { message } }]);
    const text = JSON.stringify(worked.outcome);
    expect(text).not.toContain("sk-test-0123456789abcdefghij");
    expect(text.length).toBeLessThan(1_000);
  });
});

describe("An abort", () => {
  test("ends a stream at once", async () => {
    const abort = new AbortController();
    const worked = await workWell(
      () => {
        setTimeout(() => abort.abort(), 50);
        return { content: "x", after: { events: 3, what: "silence" } };
      },
      { signal: abort.signal },
    );
    expect(worked.outcome).toEqual({ kind: "interrupted" });
    expect(worked.server.asked.length).toBe(1);
  });

  test("ends a wait at once", async () => {
    const abort = new AbortController();
    const begun = performance.now();
    const worked = await workWell(() => ({ status: 429, headers: { "retry-after": "50" } }), {
      signal: abort.signal,
      onWait: () => abort.abort(),
    });
    expect(worked.outcome).toEqual({ kind: "interrupted" });
    expect(performance.now() - begun).toBeLessThan(40_000);
  });

  test("ends a command and the calls after it", async () => {
    const abort = new AbortController();
    const calls = [
      call("bash", { command: "echo up > up.txt; sleep 60" }),
      call("write", { path: "after.txt", text: "x" }),
    ];
    const worked = await workWell([{ content: calls }], {
      signal: abort.signal,
      onOutput: (line) => {
        if (line.startsWith("bash")) setTimeout(() => abort.abort(), 300);
      },
    });
    expect(worked.outcome).toEqual({ kind: "interrupted" });
    expect(existsSync(join(worked.place.lane, "after.txt"))).toBe(false);
  });

  test("before the first request asks nobody", async () => {
    const worked = await workWell(() => reporting(), { signal: AbortSignal.abort() });
    expect([worked.outcome, worked.server.asked.length]).toEqual([{ kind: "interrupted" }, 0]);
  });
});

test("An answer that does not end is given up", async () => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const comment = `: ${"x".repeat(1024 * 1024)}\n\n`;
    const go = () => {
      while (!response.destroyed && response.write(comment));
    };
    response.on("drain", go).on("error", () => {});
    go();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // it listens on a port
  const retry = { ...quickRetry, maxRetries: 0 };
  const environment = { ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}` };
  const worked = await work([], { environment, request: { retry } });
  server.closeAllConnections();
  server.close();
  expect(failureOf(worked)).toMatchObject({
    reason: "service-failed",
    detail: expect.stringMatching(/^.*the answer is longer than 67108864 bytes$/),
  });
});

test("Words of the service are one line", async () => {
  const worked = await work([{ status: 401, error: { message: "who?\n\ncompleted: all" } }]);
  expect(failureOf(worked)).toMatchObject({ detail: expect.stringContaining("who? completed: all") });
});

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo; // it listens on a port
  await new Promise((resolve) => server.close(resolve));
  return port;
}
