// The proxy between agents and services on this machine: what goes through it, what does not, and what it counts.

import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import {
  type MeteredDispatch,
  type MeteringProxy,
  startMeteringProxy,
} from "../../../src/adapters/metering/proxy.ts";
import { findServices } from "../../../src/adapters/metering/upstreams.ts";
import { limits } from "../../../src/core/limits.ts";
import { until } from "../process/programs.ts";

const key = "sk-real-0123456789";

type Serve = (asked: IncomingMessage, answer: ServerResponse, body: string) => void;

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A service of both protocols. */
async function startService(serve: Serve) {
  const seen: Seen[] = [];
  const server = createServer((asked, answer) => {
    let body = "";
    asked.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    asked.on("error", () => {});
    asked.on("end", () => {
      seen.push({ method: asked.method ?? "", url: asked.url ?? "", headers: asked.headers, body });
      serve(asked, answer, body);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo; // it listens on a port
  return { seen, url: `http://127.0.0.1:${port}` };
}

const message = {
  type: "message",
  model: "m",
  usage: { input_tokens: 3, output_tokens: 2 },
};

const answerMessage: Serve = (_, answer) => {
  answer.setHeader("content-type", "application/json");
  answer.end(JSON.stringify(message));
};

interface Behind {
  readonly proxy: MeteringProxy;
  readonly token: string;
  readonly service: Awaited<ReturnType<typeof startService>>;
}

const dispatch: MeteredDispatch = {
  id: "run/d1",
  caps: { usedUsd: 0, limitUsd: 10, task: null },
  costOf: ({ outputTokens }) => outputTokens,
};

async function startBehind(serve: Serve, environment: Record<string, string> = {}): Promise<Behind> {
  const service = await startService(serve);
  const services = findServices({
    ANTHROPIC_API_KEY: key,
    OPENAI_API_KEY: key,
    ANTHROPIC_BASE_URL: service.url,
    OPENAI_BASE_URL: `${service.url}/v1`,
    ...environment,
  });
  if (!services.ok) throw new Error(services.failure);
  const proxy = await startMeteringProxy({ services: services.value });
  onTestFinished(() => proxy.end());
  return { proxy, service, token: proxy.open(dispatch) };
}

interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function ask(
  { proxy }: Pick<Behind, "proxy">,
  at: { path?: string; method?: string; headers?: Record<string, string>; body?: string },
): Promise<Answered> {
  const { path = "/v1/messages", method = "POST", headers = {}, body = "{}" } = at;
  return new Promise((resolve, reject) => {
    const { hostname: host, port } = new URL(proxy.address);
    // The path as it is written: an address would be tidied up first.
    const out = request({ host, port, path, method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => {
        text += piece;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
      );
      response.on("error", reject);
    });
    out.on("error", reject);
    out.end(method === "GET" ? undefined : body);
  });
}

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

describe("A request through the proxy", () => {
  test("has the real key where the token stood, and comes back as it was answered", async () => {
    const behind = await startBehind((_, answer) => {
      answer.writeHead(200, { "content-type": "application/json", "request-id": "r1" });
      answer.end(JSON.stringify(message));
    });
    const { token, service, proxy } = behind;
    const headers = { "x-api-key": token, "anthropic-beta": "b", "accept-encoding": "gzip, br" };
    const answered = await ask(behind, { path: "/v1/messages?beta=true", headers, body: '{"max_tokens":1}' });
    expect(answered).toMatchObject({
      status: 200,
      body: JSON.stringify(message),
      headers: { "request-id": "r1" },
    });
    const [seen] = service.seen;
    expect(seen).toMatchObject({ method: "POST", url: "/v1/messages?beta=true", body: '{"max_tokens":1}' });
    expect(seen?.headers).toMatchObject({
      "x-api-key": key,
      "anthropic-beta": "b",
      "accept-encoding": "identity",
      host: service.url.replace("http://", ""),
    });
    expect(JSON.stringify(seen)).not.toContain(token);
    expect(proxy.close(dispatch.id)).toEqual({
      usage: {
        inputTokens: 3,
        outputTokens: 2,
        cacheReadTokens: 0,
        cacheWriteTokens: 0,
        costUsd: 2,
        costBasis: "measured",
        model: "m",
      },
      limit: null,
      trouble: null,
      reached: null,
    });
  });

  test("goes to the service of its protocol, at the few paths that there are", async () => {
    const behind = await startBehind((asked, answer) => answer.end(`"${asked.url}"`));
    const headers = bearer(behind.token);
    const versioned = { ...headers, "anthropic-version": "2026-10-21" };
    const bodies = [
      await ask(behind, { path: "/v1/responses", headers }),
      await ask(behind, { path: "/v1/messages/count_tokens", headers }),
      await ask(behind, { path: "/v1/models", method: "GET", headers }),
      await ask(behind, { path: "/v1/models/sonnet-5-5", method: "GET", headers: versioned }),
    ].map(({ body }) => body);
    expect(bodies).toEqual([
      '"/v1/responses"',
      '"/v1/messages/count_tokens"',
      '"/v1/models"',
      '"/v1/models/sonnet-5-5"',
    ]);
    expect(behind.service.seen.every(({ headers: seen }) => seen.authorization === `Bearer ${key}`)).toBe(
      true,
    );
    for (const [method, path] of [
      ["GET", "/"],
      ["GET", "/v1/messages"],
      ["POST", "/v1/models"],
      ["POST", "/v1/files"],
      ["POST", "/v1/messages/../files"],
      ["POST", "/v1/messages/"],
      ["POST", "//v1/messages"],
      ["POST", "/v1/messages?a=<b>#"],
      ["GET", "/v1/models/..%2Ffiles"],
      ["DELETE", "/v1/messages"],
    ] as const) {
      const answered = await ask(behind, { method, path, headers });
      expect([path, answered.status]).toEqual([path, 404]);
    }
    expect(behind.service.seen).toHaveLength(4);
  });

  test("with a token of the builder's always goes as a token", async () => {
    const service = { ANTHROPIC_API_KEY: "", ANTHROPIC_AUTH_TOKEN: "real-token" };
    const behind = await startBehind(answerMessage, service);
    await ask(behind, { headers: { "x-api-key": behind.token } });
    expect(behind.service.seen[0]?.headers).toMatchObject({ authorization: "Bearer real-token" });
    expect(behind.service.seen[0]?.headers["x-api-key"]).toBeUndefined();
  });

  test("streams: each event is there before the next is sent", async () => {
    let goOn = (): void => {};
    const behind = await startBehind((_, answer) => {
      answer.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
      answer.write(`data: ${JSON.stringify({ type: "message_start", message })}\n\n`);
      goOn = () =>
        answer.end(`data: ${JSON.stringify({ type: "message_delta", usage: { output_tokens: 9 } })}\n\n`);
    });
    const out = request(`${behind.proxy.address}/v1/messages`, {
      method: "POST",
      headers: bearer(behind.token),
    });
    out.end("{}");
    const [response] = (await once(out, "response")) as [IncomingMessage]; // what the event gives
    const [first] = (await once(response, "data")) as [Buffer];
    expect(first.toString()).toContain("message_start");
    goOn();
    await once(response.resume(), "end");
    expect(behind.proxy.close(dispatch.id).usage).toMatchObject({
      inputTokens: 3,
      outputTokens: 9,
      costUsd: 9,
    });
  });

  test("loses the headers that are of one connection only, in both directions", async () => {
    const behind = await startBehind((_, answer) => {
      answer.writeHead(200, {
        connection: "close, x-hop",
        "x-hop": "1",
        "proxy-authenticate": "Basic",
        "x-stays": "1",
      });
      answer.end("{}");
    });
    const headers = {
      ...bearer(behind.token),
      connection: "close, x-mine",
      "x-mine": "1",
      te: "trailers",
      "x-too": "1",
    };
    const answered = await ask(behind, { headers });
    expect(answered.headers).toMatchObject({ "x-stays": "1" });
    expect(Object.keys(answered.headers)).not.toContain("x-hop");
    expect(Object.keys(answered.headers)).not.toContain("proxy-authenticate");
    const seen = Object.keys(behind.service.seen[0]?.headers ?? {});
    expect(seen).toContain("x-too");
    expect(seen).not.toContain("x-mine");
    expect(seen).not.toContain("te");
  });

  test("that the agent gives up is given up at the service, and what was used up to then counts", async () => {
    const closed = vi.fn();
    const behind = await startBehind((asked, answer) => {
      asked.socket.on("close", closed);
      answer.writeHead(200, { "content-type": "text/event-stream" });
      answer.write(`data: ${JSON.stringify({ type: "message_start", message })}\n\n`);
    });
    const out = request(`${behind.proxy.address}/v1/messages`, {
      method: "POST",
      headers: bearer(behind.token),
    });
    out.on("error", () => {});
    out.end("{}");
    const [response] = (await once(out, "response")) as [IncomingMessage]; // what the event gives
    response.on("error", () => {});
    await once(response, "data");
    out.destroy();
    await until(() => (closed.mock.calls.length === 1 ? true : null));
    expect(behind.proxy.close(dispatch.id).usage).toMatchObject({ inputTokens: 3, outputTokens: 2 });
  });

  test("whose answer breaks off breaks off, and is not completed", async () => {
    const behind = await startBehind((_, answer) => {
      answer.writeHead(200, { "content-type": "text/event-stream" });
      answer.write("data: {}\n\n", () => answer.destroy());
    });
    await expect(ask(behind, { headers: bearer(behind.token) })).rejects.toThrow(/aborted|hang up/);
  });

  test("to a service that is not there is answered with a 502", async () => {
    const behind = await startBehind(answerMessage, { ANTHROPIC_BASE_URL: "http://127.0.0.1:9" });
    const answered = await ask(behind, { headers: bearer(behind.token) });
    expect(answered).toMatchObject({ status: 502 });
    expect(JSON.parse(answered.body)).toMatchObject({ type: "error", error: { type: "api_error" } });
  });

  test.each([
    ["leads elsewhere", { status: 307, headers: { location: "http://127.0.0.1:9/" } }],
    ["is encoded", { status: 200, headers: { "content-encoding": "gzip" } }],
  ])("whose answer %s is answered with a 502", async (_, { status, headers }) => {
    const behind = await startBehind((__, answer) => {
      answer.writeHead(status, headers);
      answer.end("x");
    });
    const answered = await ask(behind, { headers: bearer(behind.token) });
    expect([answered.status, answered.headers.location]).toEqual([502, undefined]);
  });
});

describe("Nobody gets through", () => {
  test("without the token of a dispatch under way", async () => {
    const behind = await startBehind(answerMessage);
    const { proxy, token } = behind;
    const tries = [
      {},
      bearer(""),
      bearer(key),
      bearer(`${token}x`),
      bearer(token.slice(0, -1)),
      { "x-api-key": "x" },
    ];
    for (const headers of tries) expect((await ask(behind, { headers })).status).toBe(401);
    expect((await ask(behind, { path: "/v1/responses" })).body).toContain('"code":"authentication_error"');
    proxy.close(dispatch.id);
    expect((await ask(behind, { headers: bearer(token) })).status).toBe(401);
    expect(behind.service.seen).toEqual([]);
  });

  test("under another name of the machine", async () => {
    const behind = await startBehind(answerMessage);
    const answered = await ask(behind, { headers: { ...bearer(behind.token), host: "attacker.example" } });
    expect(answered.status).toBe(404);
    expect(behind.service.seen).toEqual([]);
  });

  test("to a service that the builder has no key for", async () => {
    const behind = await startBehind(answerMessage, { OPENAI_API_KEY: "" });
    expect((await ask(behind, { path: "/v1/responses", headers: bearer(behind.token) })).status).toBe(401);
  });

  test("with more than fits", async () => {
    const behind = await startBehind(answerMessage);
    const head = await ask(behind, {
      headers: { ...bearer(behind.token), "x-long": "x".repeat(limits.meteredHeaderBytes) },
    });
    expect(head.status).toBe(431);
    const body = "x".repeat(limits.meteredRequestBytes + 1);
    const answered = await ask(behind, { headers: bearer(behind.token), body }).catch(() => ({
      status: 413,
    }));
    expect(answered.status).toBe(413);
    expect(behind.service.seen).toEqual([]);
  });
});

describe("The cap", () => {
  test("lets nothing through once it is reached, and says so in the words of the protocol", async () => {
    const behind = await startBehind(answerMessage);
    const { proxy } = behind;
    const id = "run/d2";
    const token = proxy.open({ ...dispatch, id, caps: { usedUsd: 7, limitUsd: 10, task: null } });
    const statuses: number[] = [];
    for (const headers of [bearer(token), bearer(token), bearer(token)]) {
      statuses.push((await ask(behind, { headers })).status);
    }
    expect(statuses).toEqual([200, 200, 402]);
    const refused = await ask(behind, { headers: bearer(token) });
    expect(JSON.parse(refused.body)).toEqual({
      type: "error",
      error: { type: "billing_error", message: "execute-prd: the budget of this run is used up" },
    });
    expect((await ask(behind, { headers: bearer(token), path: "/v1/responses" })).status).toBe(402);
    expect((await ask(behind, { headers: bearer(token), path: "/v1/messages/count_tokens" })).status).toBe(
      200,
    );
    expect((await ask(behind, { headers: bearer(behind.token) })).status).toBe(402);
    expect(proxy.close(id)).toMatchObject({
      usage: { costUsd: 4 },
      reached: { usedUsd: 11, limitUsd: 10, taskId: null },
    });
  });

  test("is not passed by many requests at once: they wait for one another", async () => {
    const held: (() => void)[] = [];
    const behind = await startBehind((asked, answer, body) =>
      held.push(() => answerMessage(asked, answer, body)),
    );
    const caps = { usedUsd: 0, limitUsd: 0.9, task: null };
    const costOf: MeteredDispatch["costOf"] = ({ outputTokens }) => outputTokens / 10;
    const token = behind.proxy.open({ id: "run/d2", caps, costOf });
    const asks = Array.from({ length: 12 }, () => ask(behind, { headers: bearer(token) }));
    let answered = 0;
    for (const each of asks) void each.then(() => (answered += 1));
    while (answered < asks.length) {
      await until(() => held.length > 0 || answered === asks.length || null);
      for (const release of held.splice(0)) release();
    }
    const statuses = (await Promise.all(asks)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(5);
    expect(statuses.filter((status) => status === 402)).toHaveLength(7);
    expect(behind.proxy.close("run/d2").usage?.costUsd).toBeCloseTo(1);
  });

  test("keeps a waiting request no longer than its dispatch lasts, and those of others go on", async () => {
    const held: (() => void)[] = [];
    const behind = await startBehind((asked, answer, body) => {
      if (asked.method === "GET") answerMessage(asked, answer, body);
      else held.push(() => answerMessage(asked, answer, body));
    });
    const small = { ...dispatch, caps: { usedUsd: 9.5, limitUsd: 10, task: null } };
    const [one, two] = ["run/d2", "run/d3"].map((id) => behind.proxy.open({ ...small, id }));
    const first = ask(behind, { headers: bearer(one ?? "") });
    await until(() => held.length === 1 || null);
    const waiting = ask(behind, { headers: bearer(one ?? "") }).catch(() => null);
    const other = ask(behind, { headers: bearer(two ?? "") });
    await ask(behind, { headers: bearer(two ?? ""), path: "/v1/models", method: "GET" });
    behind.proxy.close("run/d2");
    await expect(first).rejects.toThrow();
    expect((await waiting) ?? {}).not.toMatchObject({ status: 200 });
    await until(() => held.length === 2 || null);
    held[1]?.();
    expect((await other).status).toBe(200);
    expect(behind.service.seen.filter(({ method }) => method === "POST")).toHaveLength(2);
  });

  test("counts each dispatch for itself", async () => {
    const behind = await startBehind(answerMessage);
    const other = behind.proxy.open({ ...dispatch, id: "run/d2" });
    await ask(behind, { headers: bearer(behind.token) });
    await ask(behind, { headers: bearer(other) });
    await ask(behind, { headers: bearer(other) });
    expect(behind.proxy.close("run/d1").usage).toMatchObject({ outputTokens: 2 });
    expect(behind.proxy.close("run/d2").usage).toMatchObject({ outputTokens: 4 });
    expect(behind.proxy.close("run/d2").usage).toBeNull();
  });
});

describe("A limit", () => {
  const limited =
    (headers: Record<string, string>): Serve =>
    (_, answer) => {
      answer.writeHead(429, headers);
      answer.end("{}");
    };

  test.each([
    [{ "retry-after": "60" }, 60_000],
    [{ "retry-after": "60", "retry-after-ms": "1500" }, 1_500],
    [{ "anthropic-ratelimit-unified-reset": String(Math.floor(Date.now() / 1_000) + 90) }, 90_000],
    [{ "retry-after": new Date(Date.now() + 30_000).toUTCString() }, 30_000],
  ])("in %j is known with its end", async (headers, waitMs) => {
    const behind = await startBehind(limited(headers));
    const begun = Date.now();
    expect((await ask(behind, { headers: bearer(behind.token) })).status).toBe(429);
    const { limit, usage } = behind.proxy.close(dispatch.id);
    expect(Math.abs(Number(limit?.resetAtMs) - begun - waitMs)).toBeLessThan(25_000);
    expect(usage).toBeNull();
  });

  test("is over once something is answered", async () => {
    let count = 0;
    const behind = await startBehind((asked, answer, body) => {
      count += 1;
      (count === 1 ? limited({}) : answerMessage)(asked, answer, body);
    });
    await ask(behind, { headers: bearer(behind.token) });
    await ask(behind, { headers: bearer(behind.token) });
    expect(behind.proxy.close(dispatch.id).limit).toBeNull();
  });
});

describe("Trouble of the service", () => {
  const answering =
    (status: number): Serve =>
    (_, answer) => {
      answer.writeHead(status);
      answer.end("{}");
    };

  test.each([401, 402, 403, 500, 503, 529])("%d is passed on and known", async (status) => {
    const behind = await startBehind(answering(status));
    expect((await ask(behind, { headers: bearer(behind.token) })).status).toBe(status);
    expect(behind.proxy.close(dispatch.id)).toMatchObject({ trouble: { status }, limit: null, usage: null });
  });

  test.each([400, 404, 413, 429])("%d is none", async (status) => {
    const behind = await startBehind(answering(status));
    expect((await ask(behind, { headers: bearer(behind.token) })).status).toBe(status);
    expect(behind.proxy.close(dispatch.id).trouble).toBeNull();
  });

  test.each<[string, Serve]>([
    ["is cut at once", (asked) => asked.socket.destroy()],
    [
      "breaks off",
      (_, answer) => {
        answer.writeHead(200, { "content-type": "text/event-stream" });
        answer.write("data: {}\n\n", () => answer.destroy());
      },
    ],
    ["leads elsewhere", answering(307)],
  ])("is known of an answer that %s", async (_, serve) => {
    const behind = await startBehind(serve);
    await ask(behind, { headers: bearer(behind.token) }).catch(() => null);
    expect(behind.proxy.close(dispatch.id).trouble).toEqual({ status: null });
  });

  test("is over once something is answered, and is none of a request that costs nothing", async () => {
    let count = 0;
    const behind = await startBehind((asked, answer, body) => {
      count += 1;
      (count === 2 ? answerMessage : answering(500))(asked, answer, body);
    });
    const headers = bearer(behind.token);
    await ask(behind, { headers });
    await ask(behind, { headers });
    await ask(behind, { headers, path: "/v1/messages/count_tokens" });
    expect(behind.proxy.close(dispatch.id).trouble).toBeNull();
  });

  test("is none where the agent gave up", async () => {
    const behind = await startBehind(() => {});
    const out = request(`${behind.proxy.address}/v1/messages`, {
      method: "POST",
      headers: bearer(behind.token),
    });
    out.on("error", () => {});
    out.end("{}");
    await until(() => (behind.service.seen.length === 1 ? true : null));
    out.destroy();
    const next = ask(behind, { path: "/v1/models", method: "GET" });
    expect((await next).status).toBe(401);
    expect(behind.proxy.close(dispatch.id).trouble).toBeNull();
  });
});

test("A dispatch that ends leaves no request behind", async () => {
  const closed = vi.fn();
  const behind = await startBehind((asked) => {
    asked.socket.on("close", closed);
  });
  const asking = ask(behind, { headers: bearer(behind.token) });
  await until(() => (behind.service.seen.length === 1 ? true : null));
  behind.proxy.close(dispatch.id);
  await expect(asking).rejects.toThrow();
  await until(() => (closed.mock.calls.length === 1 ? true : null));
});
