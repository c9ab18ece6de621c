// Agents behind the metering proxy: which keys they see, whose word counts, and what a cap and a limit become.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { openMetering } from "../../../src/adapters/metering/metering.ts";
import { createRedaction } from "../../../src/adapters/redaction/redaction.ts";
import type { AgentPolicy } from "../../../src/core/policy.ts";
import type { MeteringWanted } from "../../../src/ports.ts";
import { askProgram, commandPolicy, makePlace } from "./requests.ts";

const key = "sk-real-0123456789abcdef";

const wanted: MeteringWanted = {
  prices: { m: { input: 0, output: 1_000_000, cacheRead: 0, cacheWrite: 0 } },
  usedUsd: 0,
  limitUsd: 10,
  task: null,
};

interface Change {
  readonly agent?: Partial<AgentPolicy>;
  readonly metering?: MeteringWanted | null;
  readonly environment?: Readonly<Record<string, string>>;
  readonly status?: number;
  readonly model?: string;
}

/** Asks a program of the given source, whose service is on this machine and answers with 3 tokens each time. */
async function askMetered(source: string, change: Change = {}) {
  const { status = 200, model = "m" } = change;
  const keys: (string | undefined)[] = [];
  const server = createServer((asked, answer) => {
    keys.push(asked.headers.authorization);
    asked.resume().on("end", () => {
      answer.writeHead(status, { "content-type": "application/json", "retry-after": "60" });
      answer.end(JSON.stringify({ model, usage: { input_tokens: 1, output_tokens: 3 } }));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // it listens on a port
  const environment = {
    PATH: process.env["PATH"],
    ANTHROPIC_API_KEY: key,
    ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}`,
    OTHER: "other",
    ...change.environment,
  };
  const metering = openMetering(environment);
  onTestFinished(() => {
    metering.end();
    server.closeAllConnections();
    server.close();
  });
  const program = `
    const ask = () => fetch(process.env.ANTHROPIC_BASE_URL + "/v1/messages", {
      method: "POST", headers: { authorization: "Bearer " + process.env.ANTHROPIC_API_KEY }, body: "{}" });
    ${source}`;
  const place = await makePlace();
  const asked = await askProgram(
    place,
    program,
    {
      agent: { ...commandPolicy, env: ["ANTHROPIC_API_KEY", "OTHER"], ...change.agent },
      metering: change.metering === undefined ? wanted : change.metering,
    },
    { environment, metering, redaction: createRedaction({}) },
  );
  const seen: unknown = JSON.parse(await readFile(join(place.lane, "seen.json"), "utf8").catch(() => "null"));
  return { ...asked, keys, seen };
}

/** What is printed has everything with the shape of a key taken out, so it goes to a file. */
const look = `fs.writeFileSync("seen.json", JSON.stringify(
  [process.env.ANTHROPIC_API_KEY ?? null, process.env.ANTHROPIC_BASE_URL ?? null, process.env.OTHER ?? null]));`;
const report = (usage: object | null = null) =>
  `fs.writeFileSync(report, ${JSON.stringify(JSON.stringify({ summary: "done it", ...(usage && { usage }) }))});`;

describe("An agent behind the metering proxy", () => {
  test("has a dummy for a key, and what it used is measured, whatever it says", async () => {
    const said = { inputTokens: 9, outputTokens: 9, costUsd: 99 };
    const { answer, seen, keys } = await askMetered(`${look} await ask(); await ask(); ${report(said)}`);
    expect(answer.outcome.kind).toBe("answered");
    expect(answer.usage).toMatchObject({
      inputTokens: 2,
      outputTokens: 6,
      costUsd: 6,
      costBasis: "measured",
      model: "m",
    });
    expect(seen).toEqual([
      expect.stringMatching(/^sk-/),
      expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      "other",
    ]);
    expect(seen).not.toContain(key);
    expect(keys).toEqual([`Bearer ${key}`, `Bearer ${key}`]);
  });

  test("that asks nothing is taken at its word", async () => {
    const { answer } = await askMetered(report({ inputTokens: 9, outputTokens: 9, costUsd: 2 }));
    expect(answer.usage).toMatchObject({ costUsd: 2, costBasis: "reported" });
  });

  test("whose model has no price has measured tokens, and a cost by its word", async () => {
    const said = { inputTokens: 9, outputTokens: 9, costUsd: 2 };
    const { answer } = await askMetered(`await ask(); ${report(said)}`, { model: "new-model" });
    expect(answer.usage).toMatchObject({ outputTokens: 3, costUsd: 2, costBasis: "reported" });
    const unsaid = await askMetered(`await ask(); ${report()}`, { model: "new-model" });
    expect(unsaid.answer.usage).toMatchObject({ outputTokens: 3, costUsd: null, costBasis: "unknown" });
  });

  test("fails by the cap where it was refused for it, and by the limit of its service where that was in the way", async () => {
    const source = "const status = (await ask()).status; process.exit(status === 200 ? 0 : 3);";
    const spent = await askMetered(source, { metering: { ...wanted, usedUsd: 10 } });
    expect(spent.answer.outcome).toMatchObject({
      failure: { reason: "budget-cost", usedUsd: 10, limitUsd: 10 },
    });
    expect(spent.keys).toEqual([]);
    const begun = Date.now();
    const limited = await askMetered(source, { status: 429 });
    expect(limited.answer.outcome).toMatchObject({ failure: { reason: "rate-limited", agent: "developer" } });
    const { outcome } = limited.answer;
    const end =
      outcome.kind === "failed" && outcome.failure.reason === "rate-limited" ? outcome.failure.resetAtMs : 0;
    expect(Number(end) - begun).toBeGreaterThanOrEqual(60_000);
    const exited = await askMetered("await ask(); process.exit(3);");
    expect(exited.answer.outcome).toMatchObject({ failure: { reason: "agent-exited", exitCode: 3 } });
    expect(exited.answer.usage).toMatchObject({ costUsd: 3 });
  });

  test.each([
    [500, { reason: "service-failed", status: 500 }],
    [529, { reason: "service-failed", status: 529 }],
    [401, { reason: "not-logged-in" }],
    [402, { reason: "credit-empty" }],
    [400, { reason: "agent-exited", exitCode: 3 }],
  ])(
    "that gave up on a %d of its service failed by that, and says where it did not",
    async (status, failure) => {
      const { answer } = await askMetered("await ask(); process.exit(3);", { status });
      expect(answer.outcome).toMatchObject({ kind: "failed", failure });
      const said = { failure: { kind: "credit-empty", message: "mine" } };
      const own = await askMetered(
        `await ask(); fs.writeFileSync(report, ${JSON.stringify(JSON.stringify(said))});`,
        {
          status,
        },
      );
      expect(own.answer.outcome).toMatchObject({ failure: { reason: "credit-empty", detail: "mine" } });
    },
  );

  test("that could not reach its service failed by that", async () => {
    const environment = { ANTHROPIC_BASE_URL: "http://127.0.0.1:9" };
    const { answer } = await askMetered("await ask(); process.exit(3);", { environment });
    expect(answer.outcome).toMatchObject({ failure: { reason: "service-failed", status: null } });
  });

  test("with a login, or that was to get no key, gets none, and no address either", async () => {
    const login = await askMetered(`${look} ${report()}`, { agent: { auth: "login" } });
    expect(login.seen).toEqual([null, null, "other"]);
    const none = await askMetered(`${look} ${report()}`, { agent: { env: ["OTHER"] } });
    expect(none.seen).toEqual([null, null, "other"]);
    const byKey = await askMetered(`${look} ${report()}`, { agent: { env: [], auth: "key" } });
    expect(byKey.seen).toEqual([expect.stringMatching(/^sk-/), expect.stringMatching(/^http:/), null]);
  });

  test("in a run without the proxy has what it had", async () => {
    const { seen } = await askMetered(`${look} ${report()}`, { metering: null });
    expect(seen).toEqual([key, null, "other"]);
  });

  test("is not started where the key would go over an open line", async () => {
    const environment = { ANTHROPIC_BASE_URL: "http://gate.example" };
    const { answer, seen } = await askMetered(`${look} ${report()}`, { environment });
    expect(answer.outcome).toMatchObject({
      failure: { reason: "agent-cannot-start", detail: expect.stringContaining("must be https") },
    });
    expect(seen).toBeNull();
  });
});
