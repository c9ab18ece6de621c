// Agents that speak the Agent Client Protocol: what they may do, how they report, and what hostile ones can do to us.

import { existsSync } from "node:fs";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi } from "vitest";
import { createRedaction } from "../../../src/adapters/redaction/redaction.ts";
import { limits } from "../../../src/core/limits.ts";
import type { AgentPolicy } from "../../../src/core/policy.ts";
import type { AgentRequest } from "../../../src/ports.ts";
import { readPid, until, untilGone } from "../process/programs.ts";
import { type Asked, ask, commandPolicy, makePlace, type Place, toRequest } from "./requests.ts";

const program = fileURLToPath(new URL("../../support/acp-agent.mjs", import.meta.url));

const report = { summary: "done it", signals: [] };
const sayReport = { say: JSON.stringify(report) };

interface Script {
  readonly turns?: readonly (readonly object[])[];
  readonly [option: string]: unknown;
}

interface Change {
  readonly request?: Partial<AgentRequest>;
  readonly agent?: Partial<AgentPolicy>;
  readonly options?: Parameters<typeof ask>[2];
}

async function play(place: Place, script: Script, change: Change = {}): Promise<Asked> {
  const file = join(place.root, "script.json");
  await writeFile(file, JSON.stringify({ log: join(place.root, "log.jsonl"), ...script }));
  const agent = {
    ...commandPolicy,
    backend: "acp",
    command: [process.execPath, program, file],
    ...change.agent,
  } as const;
  return ask(place, toRequest(place, { agent, ...change.request }), change.options);
}

/** What the agent was sent. */
async function received(place: Place) {
  const text = await readFile(join(place.root, "log.jsonl"), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

async function answersTo(place: Place, id: string) {
  return (await received(place)).filter((message) => message.method === undefined && message.id === id);
}

async function outcomes(place: Place): Promise<readonly string[]> {
  const all = await received(place);
  return all.flatMap(({ result }) => {
    if (result?.outcome === undefined) return [];
    return [result.outcome.optionId ?? result.outcome.outcome];
  });
}

describe("An ACP agent", () => {
  test("works in its lane, and its last message is the report", async () => {
    const place = await makePlace();
    const { answer, lines } = await play(place, {
      turns: [
        [
          { say: "I begin. " },
          { say: '{"summary":"too early"}' },
          { think: "hm" },
          { update: { sessionUpdate: "tool_call", toolCallId: "c1", title: "Edit a.txt", kind: "edit" } },
          { write: "a.txt", text: "a" },
          { say: "All done:\n```json\n" },
          { say: `${JSON.stringify(report)}\n\`\`\`\n` },
        ],
      ],
    });
    expect(answer.outcome).toMatchObject({
      kind: "answered",
      report: { stage: "develop", summary: "done it" },
    });
    expect(existsSync(join(place.lane, "a.txt"))).toBe(true);
    expect(lines).toContain('I begin. {"summary":"too early"}');
    expect(lines).toContain("> Edit a.txt");
    const messages = await received(place);
    expect(messages.map(({ method }) => method)).toEqual(["initialize", "session/new", "session/prompt"]);
    expect(messages[0].params.clientCapabilities).toEqual({
      fs: { readTextFile: false, writeTextFile: false },
      terminal: false,
    });
    expect(messages[1].params).toEqual({ cwd: place.lane, mcpServers: [] });
    expect(messages[2].params.prompt[0].text).toContain("Do the task.");
    expect(messages[2].params.prompt[0].text).toContain('"summary"');
    for (const name of ["prompt.md", "request.json", "report.json", "transcript.jsonl"]) {
      expect(existsSync(join(place.evidence, name)), name).toBe(true);
    }
  });

  test("that reports nothing is asked once more in the same session", async () => {
    const place = await makePlace();
    const { answer } = await play(place, { turns: [[{ say: "I am done." }], [sayReport]] });
    expect(answer.outcome).toMatchObject({ kind: "answered" });
    const [, , first, second, ...others] = await received(place);
    expect(others).toEqual([]);
    expect(second.params.sessionId).toBe(first.params.sessionId);
    expect(second.params.prompt[0].text).toContain("holds no report");
  });

  test("is told what is wrong with its report, and no third time", async () => {
    const place = await makePlace();
    const { answer } = await play(place, {
      turns: [[{ say: '{"summary":7}' }], [{ say: "It was fine." }], [sayReport]],
    });
    expect(answer.outcome).toMatchObject({ failure: { reason: "report-invalid" } });
    const messages = await received(place);
    expect(messages).toHaveLength(4);
    expect(messages[3].params.prompt[0].text).toContain("summary");
  });

  test("that never reports has left no report", async () => {
    const { answer } = await play(await makePlace(), { turns: [[{ say: "a" }], [{ say: "b" }]] });
    expect(answer.outcome).toMatchObject({ failure: { reason: "report-missing", stage: "develop" } });
  });

  test("may say what it costs: tokens of each turn, and the cost of the session", async () => {
    const usage = { inputTokens: 10, outputTokens: 2, cachedReadTokens: 5, cachedWriteTokens: 1 };
    const { answer } = await play(await makePlace(), {
      turns: [
        [
          {
            update: {
              sessionUpdate: "usage_update",
              used: 9,
              size: 10,
              cost: { amount: 1, currency: "USD" },
            },
          },
          { stop: "end_turn", usage },
        ],
        [
          {
            update: {
              sessionUpdate: "usage_update",
              used: 9,
              size: 10,
              cost: { amount: 1.5, currency: "USD" },
            },
          },
          sayReport,
          { stop: "end_turn", usage },
        ],
      ],
    });
    expect(answer.usage).toEqual({
      inputTokens: 20,
      outputTokens: 4,
      cacheReadTokens: 10,
      cacheWriteTokens: 2,
      costUsd: 1.5,
      costBasis: "reported",
      model: null,
    });
  });

  test("in another currency, or with rubbish for numbers, says nothing of its cost", async () => {
    const { answer } = await play(await makePlace(), {
      turns: [
        [
          {
            update: {
              sessionUpdate: "usage_update",
              used: -1,
              size: 1,
              cost: { amount: 1, currency: "EUR" },
            },
          },
          {
            update: {
              sessionUpdate: "usage_update",
              used: 7,
              size: 1,
              cost: { amount: -1, currency: "USD" },
            },
          },
          sayReport,
        ],
      ],
    });
    expect(answer.usage).toBeNull();
  });

  test("gets the model and the effort that it offers", async () => {
    const place = await makePlace();
    const select = (category: string, values: readonly string[]) => ({
      type: "select",
      id: `option-${category}`,
      name: category,
      category,
      currentValue: values[0],
      options: values.map((value) => ({ value, name: value })),
    });
    const session = {
      result: {
        sessionId: "session-1",
        configOptions: [select("model", ["big", "small"]), select("thought_level", ["none", "low"])],
      },
    };
    const { answer } = await play(
      place,
      { session, turns: [[sayReport]] },
      { agent: { model: "small", effort: "low" } },
    );
    expect(answer.outcome.kind).toBe("answered");
    const chosen = (await received(place)).filter(({ method }) => method === "session/set_config_option");
    expect(chosen.map(({ params }) => [params.configId, params.value])).toEqual([
      ["option-model", "small"],
      ["option-thought_level", "low"],
    ]);
    const other = await play(
      place,
      { session, turns: [[sayReport]] },
      { agent: { model: "huge", effort: "high" } },
    );
    expect(other.answer.outcome).toMatchObject({
      failure: { reason: "request-refused", detail: expect.stringContaining("big, small") },
    });
  });

  test("that does not end by itself after its answer has answered all the same, and is ended", async () => {
    const place = await makePlace();
    const pid = join(place.root, "pid");
    const { answer } = await play(place, { stays: true, turns: [[{ pid }, sayReport]] });
    expect(answer.outcome.kind).toBe("answered");
    await untilGone(await readPid(pid));
    expect(answer.durationMs).toBeLessThan(40_000);
  });
});

describe("An ACP agent that asks for permission", () => {
  const kinds = [
    "read",
    "search",
    "think",
    "fetch",
    "edit",
    "delete",
    "move",
    "execute",
    "other",
    "new_in_version_9",
  ];
  const askAll = kinds.map((kind) => ({ ask: { toolCall: { kind } } }));

  async function granted(role: AgentRequest["role"], change: Change = {}) {
    const place = await makePlace();
    const request = { role, stage: role === "developer" ? "develop" : "precheck" } as const;
    const { lines } = await play(place, { turns: [[...askAll, sayReport]] }, { ...change, request });
    const given = await outcomes(place);
    expect(given.every((option) => option === "z2" || option === "z3")).toBe(true);
    return { allowed: kinds.filter((_, index) => given[index] === "z2"), lines };
  }

  test("as a developer gets it once, whatever the options are called", async () => {
    expect((await granted("developer")).allowed).toEqual(kinds);
  });

  test.each(["reviewer", "orchestrator"] as const)("as a %s may only look", async (role) => {
    const { allowed, lines } = await granted(role);
    expect(allowed).toEqual(["read", "search", "think", "fetch"]);
    expect(lines).toContain(`denied: edit: a ${role} only looks`);
  });

  test("may fetch nothing when the run has no network", async () => {
    const { allowed } = await granted("reviewer", { options: { network: false } });
    expect(allowed).toEqual(["read", "search", "think"]);
  });

  test("gets nothing that the configuration does not name", async () => {
    const { allowed } = await granted("developer", { agent: { tools: ["read", "edit"] } });
    expect(allowed).toEqual(["read", "edit"]);
  });

  test("may not write outside of its lane, by no name of the place", async () => {
    const place = await makePlace();
    await mkdir(join(place.lane, "src"));
    await symlink(place.root, join(place.lane, "up"));
    const paths = [
      join(place.lane, "src/new/a.ts"),
      "src/a.ts",
      join(place.root, "b.ts"),
      "../b.ts",
      "up/b.ts",
      join(place.lane, "up/new/b.ts"),
    ];
    const turn = paths.map((path) => ({ ask: { toolCall: { kind: "edit", locations: [{ path }] } } }));
    const diff = {
      ask: { toolCall: { kind: "edit", content: [{ type: "diff", path: "/etc/x", newText: "" }] } },
    };
    await play(place, { turns: [[...turn, diff, sayReport]] });
    expect(await outcomes(place)).toEqual(["z2", "z2", "z3", "z3", "z3", "z3", "z3"]);
  });

  test("with the kind only in the announcement of the call, or with no fitting option, is answered", async () => {
    const place = await makePlace();
    const { answer } = await play(
      place,
      {
        turns: [
          [
            { update: { sessionUpdate: "tool_call", toolCallId: "c9", title: "Look", kind: "read" } },
            {
              request: {
                method: "session/request_permission",
                params: {
                  toolCall: { toolCallId: "c9" },
                  options: [{ optionId: "a", name: "", kind: "allow_once" }],
                },
              },
            },
            {
              ask: {
                toolCall: { kind: "edit" },
                options: [{ optionId: "a", name: "", kind: "allow_always" }],
              },
            },
            { request: { method: "session/request_permission", params: 7 } },
            sayReport,
          ],
        ],
      },
      { request: { role: "reviewer", stage: "precheck" } },
    );
    expect(await outcomes(place)).toEqual(["a", "cancelled", "cancelled"]);
    expect(answer.outcome).toMatchObject({ failure: { reason: "report-invalid" } });
  });
});

describe("A failing ACP agent", () => {
  test.each([
    [{ code: -32000, message: "Authentication required" }, { reason: "not-logged-in" }],
    [
      { code: 429, message: "slow down" },
      { reason: "rate-limited", resetAtMs: null },
    ],
    [
      { code: -32603, message: "x", data: { status: 429, resetAt: "2031-01-01T00:00:00Z" } },
      { reason: "rate-limited", resetAtMs: Date.parse("2031-01-01T00:00:00Z") },
    ],
    [
      { code: -32603, message: "x", data: { statusCode: 529 } },
      { reason: "service-failed", status: 529 },
    ],
    [{ code: -32603, message: "x", data: { status: 402 } }, { reason: "credit-empty" }],
    [
      { code: -32603, message: "x", data: { status: 400 } },
      { reason: "request-refused", status: 400 },
    ],
    [
      { code: -32603, message: "broken" },
      { reason: "service-failed", status: null, detail: "broken" },
    ],
  ])("that answers the prompt with %j", async (error, failure) => {
    const { answer } = await play(await makePlace(), { turns: [[{ error }]] });
    expect(answer.outcome).toMatchObject({ kind: "failed", failure: { agent: "developer", ...failure } });
  });

  test.each([
    ["refusal", { reason: "agent-refused", detail: "I will not." }],
    ["max_turn_requests", { reason: "agent-went-nowhere", how: "used up its turns" }],
    ["cancelled", { reason: "agent-went-nowhere" }],
    ["something_new", { reason: "agent-went-nowhere" }],
  ])("that stops by %s", async (stop, failure) => {
    const { answer } = await play(await makePlace(), { turns: [[{ say: "I will not." }, { stop }]] });
    expect(answer.outcome).toMatchObject({ kind: "failed", failure });
  });

  test("that ran out of tokens is asked for the report alone", async () => {
    const { answer } = await play(await makePlace(), {
      turns: [[{ say: '{"summ' }, { stop: "max_tokens" }], [sayReport]],
    });
    expect(answer.outcome.kind).toBe("answered");
  });

  test("that refuses is not believed when it reports besides", async () => {
    const { answer } = await play(await makePlace(), { turns: [[sayReport, { stop: "refusal" }]] });
    expect(answer.outcome).toMatchObject({ failure: { reason: "agent-refused" } });
  });

  test.each([
    ["another version", { initialize: { result: { protocolVersion: 9 } } }, "agent-cannot-start"],
    ["no version", { initialize: { result: null } }, "agent-cannot-start"],
    [
      "an error for a greeting",
      { initialize: { error: { code: -32603, message: "x" } } },
      "agent-cannot-start",
    ],
    ["no session", { session: { result: {} } }, "agent-cannot-start"],
    [
      "a session only for those logged in",
      { session: { error: { code: -32000, message: "log in" } } },
      "not-logged-in",
    ],
  ])("that offers %s", async (_, script, reason) => {
    const { answer } = await play(await makePlace(), script);
    expect(answer.outcome).toMatchObject({ failure: { reason } });
  });

  test("that is not there cannot be started", async () => {
    const { answer } = await play(await makePlace(), {}, { agent: { command: ["no-such-agent-program"] } });
    expect(answer.outcome).toMatchObject({ failure: { reason: "agent-cannot-start" } });
  });

  test.each([0, 3])("that exits with %d instead of answering has exited", async (exit) => {
    const { answer } = await play(await makePlace(), { turns: [[sayReport, { exit }]] });
    expect(answer.outcome).toMatchObject({ failure: { reason: "agent-exited", exitCode: exit } });
  });

  test("that never answers is ended at its time-out", async () => {
    const place = await makePlace();
    const pid = join(place.root, "pid");
    const { answer } = await play(
      place,
      { turns: [[{ pid }, { wait: 60_000 }]] },
      { agent: { timeoutMs: 700 } },
    );
    expect(answer.outcome).toMatchObject({ failure: { reason: "agent-timed-out", idle: false } });
    await untilGone(await readPid(pid));
  });
});

describe("An ACP agent that is interrupted", () => {
  test("is told to cancel its turn, then ended", async () => {
    const place = await makePlace();
    const pid = join(place.root, "pid");
    const abort = new AbortController();
    const running = play(
      place,
      { turns: [[{ pid }, { wait: 60_000 }]] },
      { options: { signal: abort.signal } },
    );
    const agentPid = await readPid(pid);
    abort.abort();
    const { answer } = await running;
    expect(answer.outcome).toEqual({ kind: "interrupted" });
    expect((await received(place)).at(-1).method).toBe("session/cancel");
    await untilGone(agentPid);
  });

  test("is ended soon, even where it ignores everything", async () => {
    const place = await makePlace();
    const pid = join(place.root, "pid");
    const abort = new AbortController();
    const script = { ignoresCancel: true, ignoresTerm: true, turns: [[{ pid }, { wait: 60_000 }]] };
    const running = play(place, script, { options: { signal: abort.signal } });
    const agentPid = await readPid(pid);
    const begun = performance.now();
    abort.abort();
    expect((await running).answer.outcome).toEqual({ kind: "interrupted" });
    expect(performance.now() - begun).toBeLessThan(40_000);
    await untilGone(agentPid);
  });

  test("before it was started is not started", async () => {
    const place = await makePlace();
    const signal = AbortSignal.abort();
    const { answer } = await play(place, { turns: [[sayReport]] }, { options: { signal } });
    expect(answer.outcome).toEqual({ kind: "interrupted" });
    expect(existsSync(join(place.root, "log.jsonl"))).toBe(false);
  });
});

describe("A hostile ACP agent", () => {
  test("reads no file through us, and gets no terminal", async () => {
    const place = await makePlace();
    await play(place, {
      turns: [
        [
          {
            request: { method: "fs/read_text_file", params: { sessionId: "session-1", path: "/etc/passwd" } },
          },
          { request: { method: "terminal/create", params: { sessionId: "session-1", command: "sh" } } },
          sayReport,
        ],
      ],
    });
    for (const id of ["agent-1", "agent-2"]) {
      expect(await answersTo(place, id)).toMatchObject([{ error: { code: expect.any(Number) } }]);
    }
  });

  test("writes through us what a developer may write, and nothing else", async () => {
    const place = await makePlace();
    const outside = join(place.root, "outside");
    await mkdir(outside);
    await symlink(outside, join(place.lane, "out"));
    await symlink(join(outside, "x.txt"), join(place.lane, "link.txt"));
    const inLane = (name: string) => join(place.lane, name);
    const paths = [
      inLane("new/a.txt"),
      join(outside, "x.txt"),
      inLane("out/x.txt"),
      inLane("link.txt"),
      inLane(".git"),
      inLane("../x.txt"),
      "",
    ];
    const write = (path: string) => ({
      request: { method: "fs/write_text_file", params: { sessionId: "session-1", path, content: "mine" } },
    });
    const { answer, lines } = await play(place, { turns: [[...paths.map(write), sayReport]] });
    expect(answer.outcome).toMatchObject({ kind: "answered" });
    expect(await readFile(inLane("new/a.txt"), "utf8")).toBe("mine");
    expect(existsSync(join(outside, "x.txt"))).toBe(false);
    expect(existsSync(inLane(".git"))).toBe(false);
    expect(await answersTo(place, "agent-1")).toMatchObject([{ result: {} }]);
    for (let k = 2; k <= paths.length; k += 1) {
      expect(await answersTo(place, `agent-${k}`)).toMatchObject([{ error: { code: expect.any(Number) } }]);
    }
    expect(lines.filter((line) => line.startsWith("denied: fs/write_text_file"))).toHaveLength(6);

    const other = await makePlace();
    const mine = write(join(other.lane, "a.txt"));
    const review = { role: "reviewer", stage: "precheck" } as const;
    await play(
      other,
      { turns: [[mine, { say: '{"verdict":"approved","issues":[]}' }]] },
      { request: review },
    );
    expect(existsSync(join(other.lane, "a.txt"))).toBe(false);
  });

  test("that breaks the protocol's rules is heard only where it keeps them, and prints nothing through us", async () => {
    const printed = vi.spyOn(console, "error");
    const forged = [
      "not json",
      "[]",
      "7",
      '{"jsonrpc":"1.0","id":0,"result":{"sessionId":"x"}}',
      '{"jsonrpc":"2.0"}',
      '{"jsonrpc":"2.0","id":0,"result":{"sessionId":"stolen"}}',
      '{"jsonrpc":"2.0","id":1,"result":{"sessionId":"stolen"}}',
      '{"jsonrpc":"2.0","id":77,"result":{}}',
      '{"jsonrpc":"2.0","id":{"a":1},"method":"session/request_permission"}',
      '{"jsonrpc":"2.0","method":"session/update","params":7}',
      '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"other","update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"{}"}}}}',
      '{"jsonrpc":"2.0","method":"no/such\\u001b[2J","params":{}}',
      '{"jsonrpc":"2.0","method":"$/cancel_request","params":{"requestId":0}}',
      `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`,
      "",
    ].map((raw) => ({ raw }));
    const { answer } = await play(await makePlace(), { turns: [[...forged, sayReport]] });
    expect(answer.outcome).toMatchObject({ kind: "answered", report: { summary: "done it" } });
    expect(printed).not.toHaveBeenCalled();
    printed.mockRestore();
  });

  test("that answers the prompt with rubbish has failed", async () => {
    const raw = '{"jsonrpc":"2.0","id":2,"result":{},"error":{}}';
    const { answer } = await play(await makePlace(), { turns: [[{ raw }, { wait: 60_000 }]] });
    expect(answer.outcome).toMatchObject({ failure: { reason: "service-failed" } });
  });

  test("that sends a message without an end is ended", async () => {
    const place = await makePlace();
    const { answer } = await play(place, {
      turns: [[{ flood: limits.acpMessageBytes + 10 }, { wait: 60_000 }]],
    });
    expect(answer.outcome).toMatchObject({
      failure: { reason: "agent-went-nowhere", how: expect.stringContaining("more than") },
    });
  });

  test("that asks and asks and never reads is ended", async () => {
    const place = await makePlace();
    const file = join(place.root, "greedy.mjs");
    const method = "x".repeat(200_000);
    await writeFile(
      file,
      `import { readSync, writeSync } from "node:fs";
       const buffer = Buffer.alloc(100_000);
       const send = (message) => writeSync(1, JSON.stringify({ jsonrpc: "2.0", ...message }) + "\\n");
       readSync(0, buffer); send({ id: 0, result: { protocolVersion: 1 } });
       readSync(0, buffer); send({ id: 1, result: { sessionId: "s" } });
       for (let id = 0; ; id += 1) send({ id, method: ${JSON.stringify(method)} });`,
    );
    const { answer } = await play(place, {}, { agent: { command: [process.execPath, file] } });
    expect(answer.outcome).toMatchObject({
      failure: { reason: "agent-went-nowhere", how: expect.stringContaining("does not read") },
    });
  });

  test("finds no secret, and leaves none in what is kept", async () => {
    const place = await makePlace();
    const key = "f3b9-only-known-by-its-name";
    const seen = join(place.root, "seen.json");
    const { answer, lines } = await play(
      place,
      { turns: [[{ seen }, { say: `${key}\n` }, { say: JSON.stringify({ summary: `the key is ${key}` }) }]] },
      {
        request: { prompt: `use ${key}\n` },
        options: {
          redaction: createRedaction({ A_TOKEN: key }),
          environment: { PATH: process.env["PATH"], A_TOKEN: key },
        },
      },
    );
    expect(JSON.stringify([answer, lines])).not.toContain("f3b9");
    const { env, cwd, commandLine } = JSON.parse(await until(() => readFile(seen, "utf8").catch(() => null)));
    expect(cwd).toBe(place.lane);
    expect(commandLine.join(" ")).not.toContain("Do the task");
    expect(Object.keys(env)).not.toContain("A_TOKEN");
    for (const name of ["prompt.md", "request.json", "report.json", "transcript.jsonl"]) {
      expect(await readFile(join(place.evidence, name), "utf8"), name).not.toContain(key);
    }
  });
});
