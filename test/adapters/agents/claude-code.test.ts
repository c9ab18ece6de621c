// The backend `claude-code`: the command that is built, and the lines that are read.

import { describe, expect, test } from "vitest";
import { claudeCode } from "../../../src/adapters/agents/claude-code.ts";
import { emptyTally, foldAgentEvent } from "../../../src/adapters/agents/event-tally.ts";
import { judgeEvents, reportOf } from "../../../src/adapters/agents/judge-events.ts";
import type { Failure } from "../../../src/core/failure.ts";
import { endWith, eventsOf, flagValue, flagValues, requestWith, turnWith } from "./cli-fixtures.ts";

const reviewing = { stage: "review", role: "reviewer" } as const;

describe("The command of claude-code", () => {
  test("is unattended, asks nobody, and loads nothing of the project or the builder", () => {
    const { args } = claudeCode.build(turnWith(requestWith({})));
    expect(args).toEqual(
      expect.arrayContaining(["-p", "--restricted", "--setting-sources=", "--strict-mcp-config"]),
    );
    expect(flagValue(args, "--output-format")).toBe("stream-json");
    expect(flagValue(args, "--permission-mode")).toBe("dontAsk");
  });

  test("has the prompt on stdin and never among its arguments", () => {
    const { args, input } = claudeCode.build(turnWith(requestWith({}), { prompt: "Secret plan" }));
    expect(input).toBe("Secret plan");
    expect(args.join(" ")).not.toContain("Secret plan");
  });

  test("lets a developer run commands, and write in the working directory alone", () => {
    const { args } = claudeCode.build(turnWith(requestWith({})));
    expect(flagValue(args, "--tools")).toBe("Read,Edit,Write,Bash,Grep,Glob");
    expect(flagValues(args, "--allowedTools")).toEqual(["Read", "Grep", "Glob", "Edit(./**)", "Bash"]);
  });

  test.each(["reviewer", "orchestrator"] as const)("gives the %s no tool that writes", (role) => {
    const { args } = claudeCode.build(
      turnWith(requestWith({ tools: ["Read", "Write", "edit", "bash"] }, { role })),
    );
    expect(flagValue(args, "--tools")).toBe("Read,Bash");
    const allowed = flagValues(args, "--allowedTools");
    expect(allowed).not.toContain("Bash");
    expect(allowed).toContain("Bash(git diff:*)");
    expect(flagValues(args, "--disallowedTools")).toEqual(["Bash(*--output*)"]);
  });

  test("hands over model, effort, turns, tools, the role's text as a file, and the schema of the report", () => {
    const request = requestWith(
      {
        model: "opus",
        effort: "high",
        maxTurns: 7,
        tools: ["read", "Task"],
        instructions: "You are careful.",
      },
      reviewing,
    );
    const { args, files } = claudeCode.build(turnWith(request));
    expect(flagValue(args, "--model")).toBe("opus");
    expect(flagValue(args, "--effort")).toBe("high");
    expect(flagValue(args, "--max-turns")).toBe("7");
    expect(flagValue(args, "--tools")).toBe("Read,Task");
    expect(flagValue(args, "--append-system-prompt-file")).toBe("/drop/role.md");
    expect(files).toEqual([{ path: "/drop/role.md", text: "You are careful." }]);
    expect(JSON.parse(flagValue(args, "--json-schema") ?? "")).toMatchObject({
      required: ["verdict", "score", "findings"],
    });
  });

  test("says nothing of what is not configured", () => {
    const { args, files } = claudeCode.build(turnWith(requestWith({})));
    for (const flag of ["--model", "--effort", "--max-turns", "--append-system-prompt-file", "--resume"]) {
      expect(args).not.toContain(flag);
    }
    expect(files).toEqual([]);
  });

  test("goes on with a session", () => {
    const { args } = claudeCode.build(turnWith(requestWith({}), { session: "an-id" }));
    expect(flagValue(args, "--resume")).toBe("an-id");
  });

  test("gets a key with auth key alone, few retries, and a folder of its own in the run's home", () => {
    const withKey = claudeCode.build(turnWith(requestWith({})));
    expect(withKey.names).toEqual(["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL"]);
    const { names, given } = claudeCode.build(
      turnWith(requestWith({}), { auth: "login", home: "/home-of-run" }),
    );
    expect(names).toEqual([]);
    expect(given).toEqual({
      CLAUDE_CONFIG_DIR: "/home-of-run/.claude",
      CLAUDE_CODE_MAX_RETRIES: "3",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    });
  });
});

describe("What claude-code says", () => {
  test("of work that was done becomes session, words, tools, usage and the structured report", () => {
    const events = eventsOf(claudeCode, "claude-code-answered");
    expect(events.map(({ kind }) => kind)).toEqual([
      ...["session", "text", "tool-started", "tool-started", "tool-ended", "tool-ended"],
      ...["tool-started", "tool-ended", "usage", "done"],
    ]);
    expect(events).toContainEqual({ kind: "text", text: "I write." });
    expect(events.at(-1)).toEqual({
      kind: "done",
      ok: true,
      text: '{"summary":"done"}',
      report: { summary: "done" },
    });
    const judged = judgeEvents(requestWith({}), events, {
      ...endWith(),
      found: reportOf(events.reduce(foldAgentEvent, emptyTally)),
    });
    expect(judged.outcome).toMatchObject({ kind: "answered", report: { summary: "done" } });
    expect(judged.usage).toMatchObject({
      costBasis: "reported",
      model: "claude-opus-5-5",
      cacheWriteTokens: 20,
    });
    expect(judged.usage?.cacheReadTokens).toBe(100);
    expect(judged.usage?.costUsd).toBeGreaterThan(0);
  });

  test("of a tool that failed or was denied is no end of the work", () => {
    const events = eventsOf(claudeCode, "claude-code-denied");
    expect(events).toContainEqual({
      kind: "denied",
      tool: "Write",
      detail: expect.stringContaining("outside"),
    });
    expect(events).toContainEqual(expect.objectContaining({ kind: "tool-ended", ok: false }));
    expect(events.at(-1)).toMatchObject({ kind: "done", ok: true, text: "I could not.", report: undefined });
  });

  test("of a session that goes on counts what came new alone", () => {
    const usage = eventsOf(claudeCode, "claude-code-resumed").find(({ kind }) => kind === "usage");
    expect(usage).toMatchObject({ mode: "add", usage: { inputTokens: 5029, costUsd: 0.020616 } });
  });

  const failures: readonly (readonly [name: string, failure: Partial<Failure>])[] = [
    ["bad-key", { reason: "not-logged-in" }],
    ["not-logged-in", { reason: "not-logged-in", detail: "Not logged in · Please run /login" }],
    ["no-credit", { reason: "credit-empty" }],
    ["limit-of-key", { reason: "rate-limited", resetAtMs: null }],
    ["limit-of-login", { reason: "rate-limited", resetAtMs: 1_795_287_387_000 }],
    ["overloaded", { reason: "service-failed", status: 529 }],
    ["no-such-model", { reason: "request-refused", status: 404 }],
    ["turns-used-up", { reason: "agent-went-nowhere", how: "it used up its 3 turns" }],
    ["context-used-up", { reason: "agent-went-nowhere", how: "its context is used up" }],
  ];
  test.each(failures)("of %s is that failure, whatever its exit code", (name, failure) => {
    const events = eventsOf(claudeCode, `claude-code-${name}`);
    for (const exitCode of [0, 1]) {
      const { outcome } = judgeEvents(requestWith({}), events, endWith({ exitCode }));
      expect(outcome).toMatchObject({ kind: "failed", failure: { agent: "developer", ...failure } });
    }
  });

  test("without a report is told apart from work that was done", () => {
    const events = eventsOf(claudeCode, "claude-code-without-report");
    const { outcome } = judgeEvents(requestWith({}), events, endWith());
    expect(outcome).toMatchObject({ kind: "failed", failure: { reason: "report-missing" } });
  });

  test("is no harm when it is of another shape", () => {
    for (const line of [
      {},
      { type: "assistant" },
      { type: "assistant", message: { content: "text" } },
      { type: "user", message: { content: [null, 3, { type: "tool_result" }] } },
      { type: "system", subtype: "init" },
      { type: "rate_limit_event", rate_limit_info: [] },
      { type: "from-tomorrow", anything: {} },
      { type: 3 },
    ]) {
      expect(claudeCode.read(line, { agent: "developer", text: "kept" })).toEqual({
        events: [],
        text: "kept",
      });
    }
  });
});
