// The backend `gemini`: the command that is built, and the lines that are read.

import { describe, expect, test } from "vitest";
import { gemini } from "../../../src/adapters/agents/gemini.ts";
import { judgeEvents } from "../../../src/adapters/agents/judge-events.ts";
import type { Failure } from "../../../src/core/failure.ts";
import { endWith, eventsOf, flagValue, requestWith, turnWith } from "./cli-fixtures.ts";

function fileOf(turn: Parameters<typeof gemini.build>[0], path: string): string {
  return gemini.build(turn).files.find((file) => file.path === path)?.text ?? "";
}

describe("The command of gemini", () => {
  test("is unattended, asks nobody, and starts no server and no extension", () => {
    const { args, input } = gemini.build(turnWith(requestWith({})));
    expect(flagValue(args, "-o")).toBe("stream-json");
    expect(flagValue(args, "--approval-mode")).toBe("default");
    expect(flagValue(args, "--allowed-mcp-server-names")).toBe("none");
    expect(flagValue(args, "-e")).toBe("none");
    expect(args).toContain("--skip-trust");
    expect(input).toBe("Do the task.\n");
    expect(args.join(" ")).not.toContain("Do the task");
  });

  test("denies every tool but those of the role, which is all that a policy can say", () => {
    const policy = fileOf(turnWith(requestWith({})), "/drop/policy.toml");
    expect(policy).toContain('toolName = "*"\ndecision = "deny"');
    expect(policy).toMatch(/"write_file","replace","run_shell_command"\]\ndecision = "allow"/);
    expect(policy).not.toContain("web_fetch");
  });

  test.each(["reviewer", "orchestrator"] as const)("lets the %s look, and run commands that look", (role) => {
    const policy = fileOf(
      turnWith(requestWith({ tools: ["read", "edit", "bash"] }, { role })),
      "/drop/policy.toml",
    );
    expect(policy).not.toMatch(/write_file|replace/);
    expect(policy).toContain('toolName = ["read_file","read_many_files","list_directory"]');
    expect(policy).toContain('toolName = "run_shell_command"\ncommandPrefix = ["git diff"');
    expect(policy).toContain('commandRegex = ".*--output.*"\ndecision = "deny"\npriority = 300');
  });

  test("hands over model, turns, and the role's text before the prompt", () => {
    const turn = turnWith(requestWith({ model: "gemini-x", maxTurns: 9, instructions: "Be careful." }));
    const { args, input } = gemini.build(turn);
    expect(flagValue(args, "-m")).toBe("gemini-x");
    expect(input).toBe("Be careful.\n\nDo the task.\n");
    expect(JSON.parse(fileOf(turn, "/drop/home/.gemini/settings.json"))).toMatchObject({
      model: { maxSessionTurns: 9 },
      security: { auth: { selectedType: "gemini-api-key" } },
    });
  });

  test("has with a key a home of its own, with a login the run's home, and the builder's where there is none", () => {
    const withKey = gemini.build(turnWith(requestWith({}), { home: "/home-of-run" }));
    expect(withKey.given["GEMINI_CLI_HOME"]).toBe("/drop/home");
    expect(withKey.names).toEqual(["GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL"]);
    const login = turnWith(requestWith({}), { home: "/home-of-run", auth: "login" });
    expect(gemini.build(login).given["GEMINI_CLI_HOME"]).toBe("/home-of-run");
    expect(gemini.build(login).names).toEqual([]);
    expect(fileOf(login, "/home-of-run/.gemini/settings.json")).toContain('"oauth-personal"');
    const usual = gemini.build(turnWith(requestWith({}), { auth: "login" }));
    expect(usual.given).not.toHaveProperty("GEMINI_CLI_HOME");
    expect(usual.files.map(({ path }) => path)).toEqual(["/drop/policy.toml"]);
  });

  test("goes on with a session", () => {
    expect(flagValue(gemini.build(turnWith(requestWith({}), { session: "an-id" })).args, "--resume")).toBe(
      "an-id",
    );
  });
});

describe("What gemini says", () => {
  test("of work that was done becomes session, words, tools, usage and the final message", () => {
    const events = eventsOf(gemini, "gemini-answered");
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
    expect(events.at(-1)).toEqual({ kind: "done", ok: true, text: '{"summary":"done"}', report: undefined });
    const { usage } = judgeEvents(requestWith({}), events, endWith());
    expect(usage).toMatchObject({ inputTokens: 36_338, costUsd: null, model: "gemini-3.1-pro-preview" });
  });

  test("in pieces is one message, and what it thought is output", () => {
    const lines = [
      { type: "message", role: "assistant", content: "one ", delta: true },
      { type: "message", role: "assistant", content: "two", delta: true },
      {
        type: "result",
        status: "success",
        stats: { input_tokens: 100, cached: 40, output_tokens: 5, total_tokens: 125 },
      },
    ];
    let text = "";
    const events = lines.flatMap((line) => {
      const read = gemini.read(line, { agent: "developer", text });
      text = read.text;
      return read.events;
    });
    expect(events).toMatchObject([
      { kind: "text", text: "one two" },
      { kind: "usage", usage: { inputTokens: 60, cacheReadTokens: 40, outputTokens: 25 } },
      { kind: "done", text: "one two" },
    ]);
  });

  test("of a tool that the policy denies is a denial and no end", () => {
    const events = eventsOf(gemini, "gemini-denied");
    const denial = { kind: "denied", tool: "run_shell_command", detail: "Tool execution denied by policy." };
    expect(events).toContainEqual(denial);
    expect(events.at(-1)).toMatchObject({ kind: "done", ok: true });
  });

  const failures: readonly (readonly [name: string, exitCode: number, failure: Partial<Failure>])[] = [
    ["bad-key", 145, { reason: "not-logged-in" }],
    ["limit", 173, { reason: "rate-limited" }],
    ["overloaded", 247, { reason: "service-failed", status: 503 }],
    ["turns-used-up", 53, { reason: "agent-went-nowhere", how: "it used up its turns" }],
  ];
  test.each(failures)("of %s, with exit code %i, is that failure", (name, exitCode, failure) => {
    const events = eventsOf(gemini, `gemini-${name}`, exitCode);
    const { outcome } = judgeEvents(requestWith({}), events, endWith({ exitCode }));
    expect(outcome).toMatchObject({ kind: "failed", failure: { agent: "developer", ...failure } });
  });

  test.each([
    [41, "not-logged-in"],
    [42, "request-refused"],
    [52, "request-refused"],
    [53, "agent-went-nowhere"],
    [144, "request-refused"],
  ])("before its first word, exit code %i is %s", (exitCode, reason) => {
    const exit = gemini.readExit?.(exitCode, { agent: "developer", tail: "YOLO\nset the key\n" });
    const { outcome } = judgeEvents(requestWith({}), exit ? [exit] : [], endWith({ exitCode }));
    expect(outcome).toMatchObject({ kind: "failed", failure: { reason } });
  });

  test("is told in the words of its stream, else of its log, not by the end of a dump", () => {
    const said = (tail: string) => {
      const event = gemini.readExit?.(145, { agent: "developer", tail });
      return event?.kind === "error" && "detail" in event.failure ? event.failure.detail : event;
    };
    const dump = "Error when talking\n    at async Turn.run (x.js:1:2) {\n  status: 401\n}";
    expect(said(`${dump}\n{"type":"result","status":"error","error":{"message":"bad key"}}`)).toBe("bad key");
    expect(said(`${dump}\n{"type":"result","status"`)).toBe("status: 401");
    expect(said("set the key\n}")).toBe("set the key");
    expect(said("}\n")).toBe("");
  });

  test("of an error in its stream is no success with exit code 0 either", () => {
    const { outcome } = judgeEvents(requestWith({}), eventsOf(gemini, "gemini-no-such-model"), endWith());
    expect(outcome.kind).toBe("failed");
  });

  test("on stderr of another try is a retry, and nothing else there is read", () => {
    const line = "Attempt 1 failed with status 503. Retrying with backoff... _ApiError: {}";
    expect(gemini.readLog?.(line)).toMatchObject({ kind: "retry", status: 503 });
    expect(gemini.readLog?.("Error: status 401")).toBeNull();
  });
});
