// The backend `codex`: the command that is built, the lines that are read, and what its session file adds.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { AgentEvent } from "../../../src/adapters/agents/agent-event.ts";
import { codex } from "../../../src/adapters/agents/codex.ts";
import { readCodexSession, toSessionEvents } from "../../../src/adapters/agents/codex-session.ts";
import { judgeEvents } from "../../../src/adapters/agents/judge-events.ts";
import type { Failure } from "../../../src/core/failure.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { makeFolder } from "../process/programs.ts";
import { endWith, eventsOf, fixtureText, flagValue, requestWith, turnWith } from "./cli-fixtures.ts";

function settingsOf(args: readonly string[]): readonly string[] {
  return args.flatMap((arg, at) => (args[at - 1] === "-c" ? [arg] : []));
}

describe("The command of codex", () => {
  test("is unattended, and loads neither the builder's settings nor rules", () => {
    const { args, input } = codex.build(turnWith(requestWith({})));
    expect(args.slice(0, 2)).toEqual(["exec", "--json"]);
    expect(args).toEqual(
      expect.arrayContaining(["--skip-git-repo-check", "--ignore-user-config", "--ignore-rules"]),
    );
    expect(settingsOf(args)).toContain("analytics.enabled=false");
    expect(args.at(-1)).toBe("-");
    expect(input).toBe("Do the task.\n");
    expect(args.join(" ")).not.toContain("Do the task");
  });

  test.each([
    ["developer", "workspace-write"],
    ["reviewer", "read-only"],
    ["orchestrator", "read-only"],
  ] as const)("runs the %s in the sandbox %s", (role, sandbox) => {
    const { args } = codex.build(turnWith(requestWith({}, { role })));
    expect(flagValue(args, "-s")).toBe(sandbox);
    expect(flagValue(args, "-C")).toBe("/lane");
  });

  test.each(["developer", "reviewer"] as const)("makes no sandbox for the %s inside of the run's", (role) => {
    const { args } = codex.build(turnWith(requestWith({}, { role }), { isConfined: true }));
    expect(flagValue(args, "-s")).toBe("danger-full-access");
  });

  test("lets commands use the network as configured", () => {
    const network = (on: boolean) => settingsOf(codex.build(turnWith(requestWith({}), { network: on })).args);
    expect(network(true)).toContain("sandbox_workspace_write.network_access=true");
    expect(network(false)).toContain("sandbox_workspace_write.network_access=false");
  });

  test("hands over model, effort, the role's text before the prompt, and a strict schema in a file", () => {
    const { args, input, files } = codex.build(
      turnWith(
        requestWith({ model: "gpt-x", effort: "low", instructions: "Be careful." }, { stage: "review" }),
      ),
    );
    expect(flagValue(args, "-m")).toBe("gpt-x");
    expect(settingsOf(args)).toContain('model_reasoning_effort="low"');
    expect(input).toBe("Be careful.\n\nDo the task.\n");
    expect(flagValue(args, "--output-schema")).toBe("/drop/report-schema.json");
    const schema = JSON.parse(files[0]?.text ?? "");
    expect(schema.required).toEqual(["verdict", "score", "criteria", "findings", "justified"]);
    expect(schema.additionalProperties).toBe(false);
    expect(schema.properties.findings.items.required).toEqual([
      "id",
      "severity",
      "file",
      "line",
      "problem",
      "fix",
    ]);
    expect(schema.properties.findings.items.additionalProperties).toBe(false);
    expect(JSON.stringify(schema)).not.toMatch(/pattern|default|\$schema/);
  });

  test("goes on with a session, after all flags and without the role's text", () => {
    const { args, input } = codex.build(
      turnWith(requestWith({ instructions: "Be careful." }), { session: "an-id" }),
    );
    expect(args.slice(-3)).toEqual(["resume", "an-id", "-"]);
    expect(input).toBe("Do the task.\n");
  });

  test("gets the key under the one name that it reads, and nothing with a login", () => {
    const environment = { OPENAI_API_KEY: "k" };
    const withKey = codex.build(turnWith(requestWith({}), { environment, home: "/home-of-run" }));
    expect(withKey.given).toEqual({ CODEX_API_KEY: "k", CODEX_HOME: "/home-of-run/.codex" });
    expect(withKey.names).toEqual([]);
    const { names, given } = codex.build(turnWith(requestWith({}), { environment, auth: "login" }));
    expect([names, given]).toEqual([[], {}]);
  });

  test("takes the address of a service as a provider, and the key by its name", () => {
    const environment = { OPENAI_API_KEY: "k", OPENAI_BASE_URL: "http://127.0.0.1:1/v1" };
    const { args, names, given } = codex.build(turnWith(requestWith({}), { environment }));
    expect(settingsOf(args)).toContain("model_provider=service");
    const provider = settingsOf(args).find((each) => each.startsWith("model_providers.service="));
    expect(provider).toContain('base_url="http://127.0.0.1:1/v1"');
    expect(provider).toContain('env_key="OPENAI_API_KEY"');
    expect(provider).not.toContain('"k"');
    expect([names, given]).toEqual([["OPENAI_API_KEY"], {}]);
  });
});

describe("What codex says", () => {
  test("of work that was done becomes session, words, tools, usage and the final message", () => {
    const events = eventsOf(codex, "codex-answered");
    expect(events.map(({ kind }) => kind)).toEqual([
      ...[
        "session",
        "text",
        "tool-started",
        "tool-ended",
        "tool-started",
        "tool-ended",
        "text",
        "usage",
        "done",
      ],
    ]);
    expect(events).toContainEqual(
      expect.objectContaining({ kind: "tool-started", name: "command_execution" }),
    );
    expect(events.at(-1)).toEqual({ kind: "done", ok: true, text: '{"summary":"done"}', report: undefined });
    const { usage } = judgeEvents(requestWith({ model: "gpt-x" }), events, endWith());
    expect(usage).toMatchObject({ inputTokens: 42_687, outputTokens: 30, costUsd: null, model: "gpt-x" });
  });

  test("takes what was cached out of the fresh input", () => {
    const usage = {
      input_tokens: 100,
      cached_input_tokens: 60,
      cache_write_input_tokens: 10,
      output_tokens: 5,
    };
    const { events } = codex.read({ type: "turn.completed", usage }, { agent: "developer", text: "" });
    expect(events[0]).toMatchObject({
      mode: "total",
      usage: { inputTokens: 30, cacheReadTokens: 60, cacheWriteTokens: 10, outputTokens: 5 },
    });
  });

  test("of a command that was declined is a denial", () => {
    const item = { id: "i", type: "command_execution", command: "rm x", status: "declined" };
    const { events } = codex.read({ type: "item.completed", item }, { agent: "developer", text: "" });
    expect(events).toEqual([
      { kind: "tool-ended", id: "i", ok: false },
      { kind: "denied", tool: "command_execution", detail: "rm x" },
    ]);
  });

  const failures: readonly (readonly [name: string, auth: "login" | "key", failure: Partial<Failure>])[] = [
    ["bad-key", "key", { reason: "not-logged-in" }],
    ["limit-of-key", "key", { reason: "rate-limited" }],
    ["limit-of-login", "login", { reason: "rate-limited" }],
    ["limit-of-login", "key", { reason: "credit-empty" }],
    ["overloaded", "key", { reason: "service-failed" }],
    ["no-such-model", "key", { reason: "request-refused", status: 404 }],
    ["context-used-up", "key", { reason: "agent-went-nowhere", how: "its context is used up" }],
  ];
  test.each(failures)("of %s with a %s is that failure by its session file", (name, auth, failure) => {
    const about = { agent: "developer", session: "s", auth };
    const events = [...eventsOf(codex, `codex-${name}`), ...toSessionEvents(sessionLines(name), about)];
    const { outcome } = judgeEvents(requestWith({}), events, endWith({ exitCode: 1 }));
    expect(outcome).toMatchObject({ kind: "failed", failure: { agent: "developer", ...failure } });
  });

  test("of a failed turn is no success, even without the session file and with exit code 0", () => {
    const { outcome } = judgeEvents(
      requestWith({}),
      eventsOf(codex, "codex-overloaded"),
      endWith({ exitCode: 0 }),
    );
    expect(outcome).toMatchObject({ kind: "failed", failure: { reason: "service-failed" } });
  });

  test.each([
    [2_000, 2_000_000],
    [2_000.4, 2_000_400],
    [1_795_287_387_000, 1_795_287_387_000],
  ])("of a used up window names when it is over, in seconds as it is meant or not: %d", (end, resetAtMs) => {
    const events = toSessionEvents(
      [
        {
          type: "event_msg",
          payload: {
            type: "token_count",
            rate_limits: {
              primary: { used_percent: 100, resets_at: end },
              secondary: { used_percent: 40, resets_at: 9_000 },
            },
          },
        },
        {
          type: "event_msg",
          payload: {
            type: "task_complete",
            error: { message: "m", codex_error_info: "usage_limit_exceeded" },
          },
        },
      ],
      { agent: "developer", session: "s", auth: "login" },
    );
    const { outcome } = judgeEvents(requestWith({}), events, endWith({ exitCode: 1 }));
    expect(outcome).toMatchObject({ failure: { reason: "rate-limited", resetAtMs } });
  });
});

describe("The session file of codex", () => {
  const session = "01a1ff45-755d-7b73-ba46-4f44f17cdc2e";

  test("is found in the program's home, and names the model", async () => {
    const home = await makeFolder();
    const folder = join(home, ".codex/sessions/2031/01/02");
    await mkdir(folder, { recursive: true });
    await writeFile(
      join(folder, `rollout-2031-01-02T03-04-05-${session}.jsonl`),
      fixtureText("codex-session-bad-key"),
    );
    const events = await read({ home });
    expect(events[0]).toEqual({ kind: "session", id: session, model: "gpt-6.1-sol" });
    expect(events[1]).toMatchObject({ kind: "error", failure: { reason: "not-logged-in" } });
    expect(await read({ environment: { HOME: home } })).toEqual(events);
    expect(await read({ environment: { CODEX_HOME: join(home, ".codex") } })).toEqual(events);
  });

  test("that is not there, or is named by something that is no id, adds nothing", async () => {
    expect(await read({ home: await makeFolder() })).toEqual([]);
    const turn = turnWith(requestWith({}), { home: "/" });
    expect(await readCodexSession({ turn, session: "../../etc/passwd", agent: "developer" })).toEqual([]);
  });

  function read(where: {
    home?: string;
    environment?: Record<string, string>;
  }): Promise<readonly AgentEvent[]> {
    return readCodexSession({ turn: turnWith(requestWith({}), where), session, agent: "developer" });
  }
});

function sessionLines(name: string): readonly JsonObject[] {
  const lines = fixtureText(`codex-session-${name}`).trim().split("\n");
  return lines.map((line): JsonObject => JSON.parse(line)); // recorded: objects, one a line
}
