// The backend `opencode`: the command that is built, and the lines that are read.

import { describe, expect, test } from "vitest";
import type { CliTurn } from "../../../src/adapters/agents/cli-program.ts";
import { judgeEvents } from "../../../src/adapters/agents/judge-events.ts";
import { opencode } from "../../../src/adapters/agents/opencode.ts";
import type { Failure } from "../../../src/core/failure.ts";
import { endWith, eventsOf, flagValue, requestWith, turnWith } from "./cli-fixtures.ts";

function configOf(turn: CliTurn) {
  return JSON.parse(opencode.build(turn).given["OPENCODE_CONFIG_CONTENT"] ?? "");
}

describe("The command of opencode", () => {
  test("is unattended, and reads no configuration of the project", () => {
    const { args, input, given } = opencode.build(turnWith(requestWith({})));
    expect(args.slice(0, 3)).toEqual(["run", "--format", "json"]);
    expect(flagValue(args, "--dir")).toBe("/lane");
    expect(given).toMatchObject({ OPENCODE_DISABLE_PROJECT_CONFIG: "1", OPENCODE_PURE: "1" });
    expect(input).toBe("Do the task.\n");
    expect(args.join(" ")).not.toContain("Do the task");
  });

  test("asks for no permission: what is not allowed is denied, and outside of the lane only its folder is seen", () => {
    const { permission } = configOf(turnWith(requestWith({})));
    expect(Object.keys(permission)[0]).toBe("*");
    expect(permission).toEqual({
      ...{ "*": "deny", read: "allow", list: "allow", glob: "allow", grep: "allow", todowrite: "allow" },
      ...{ bash: "allow", edit: "allow", external_directory: { "*": "deny", "/drop/*": "allow" } },
    });
    expect(JSON.stringify(permission)).not.toContain('"ask"');
  });

  test.each(["reviewer", "orchestrator"] as const)("lets the %s look, and run commands that look", (role) => {
    const { permission } = configOf(turnWith(requestWith({ tools: ["read", "write", "bash"] }, { role })));
    expect(permission).not.toHaveProperty("edit");
    expect(Object.entries(permission.bash)[0]).toEqual(["*", "deny"]);
    expect(permission.bash).toMatchObject({ "git diff*": "allow", "*--output*": "deny" });
  });

  test("hands over model, effort, and the role's text as a file", () => {
    const turn = turnWith(requestWith({ model: "anthropic/x", effort: "high", instructions: "Be careful." }));
    const { args, files } = opencode.build(turn);
    expect(flagValue(args, "-m")).toBe("anthropic/x");
    expect(flagValue(args, "--variant")).toBe("high");
    expect(configOf(turn).instructions).toEqual(["/drop/role.md"]);
    expect(files).toEqual([{ path: "/drop/role.md", text: "Be careful." }]);
  });

  test("gets keys with auth key alone, and addresses in its configuration", () => {
    const environment = {
      ANTHROPIC_BASE_URL: "http://127.0.0.1:1/",
      OPENAI_BASE_URL: "http://127.0.0.1:2/v1",
    };
    const withKey = turnWith(requestWith({}), { environment });
    expect(opencode.build(withKey).names).toContain("ANTHROPIC_API_KEY");
    expect(opencode.build(withKey).names).not.toContain("ANTHROPIC_BASE_URL");
    expect(configOf(withKey).provider).toEqual({
      anthropic: { options: { baseURL: "http://127.0.0.1:1/v1" } },
      openai: { options: { baseURL: "http://127.0.0.1:2/v1" } },
    });
    const login = turnWith(requestWith({}), { environment, auth: "login", home: "/home-of-run" });
    expect(opencode.build(login).names).toEqual([]);
    expect(configOf(login)).not.toHaveProperty("provider");
    expect(opencode.build(login).given["XDG_DATA_HOME"]).toBe("/home-of-run/.local/share");
  });

  test("goes on with a session", () => {
    expect(flagValue(opencode.build(turnWith(requestWith({}), { session: "ses_1" })).args, "--session")).toBe(
      "ses_1",
    );
  });
});

describe("What opencode says", () => {
  test("of work that was done becomes session, words, tools, usage and the final message", () => {
    const events = eventsOf(opencode, "opencode-answered");
    expect(events.map(({ kind }) => kind)).toEqual([
      ...["session", "text", "tool-started", "tool-ended", "usage"],
      ...["session", "text", "usage", "done"],
    ]);
    expect(events.at(-1)).toEqual({ kind: "done", ok: true, text: '{"summary":"done"}', report: undefined });
    const { usage } = judgeEvents(requestWith({ model: "anthropic/x" }), events, endWith());
    expect(usage).toMatchObject({
      inputTokens: 15_344,
      outputTokens: 48,
      costBasis: "reported",
      model: "anthropic/x",
    });
    expect(usage?.costUsd).toBeCloseTo(0.046752, 6);
  });

  test("of a cost of nothing is an unknown cost", () => {
    const part = {
      reason: "stop",
      cost: 0,
      tokens: { input: 5, output: 1, reasoning: 2, cache: { read: 3, write: 4 } },
    };
    const { events } = opencode.read({ type: "step_finish", part }, { agent: "developer", text: "" });
    expect(events[0]).toMatchObject({
      usage: {
        inputTokens: 5,
        outputTokens: 3,
        cacheReadTokens: 3,
        cacheWriteTokens: 4,
        costUsd: null,
        costBasis: "unknown",
      },
    });
  });

  test("after a permission that was rejected for want of a person is no success, although it exits with 0", () => {
    const { outcome } = judgeEvents(requestWith({}), eventsOf(opencode, "opencode-auto-rejected"), endWith());
    expect(outcome).toMatchObject({
      kind: "failed",
      failure: {
        reason: "agent-went-nowhere",
        how: expect.stringMatching(/^it was not allowed to use "write"/),
      },
    });
  });

  test("of a tool that is denied is a denial and no end", () => {
    const events = eventsOf(opencode, "opencode-denied");
    expect(events).toContainEqual(expect.objectContaining({ kind: "denied", tool: "bash" }));
    expect(events.at(-1)).toMatchObject({ kind: "done", ok: true });
  });

  const failures: readonly (readonly [name: string, failure: Partial<Failure>])[] = [
    ["bad-key", { reason: "not-logged-in", detail: "invalid x-api-key" }],
    ["no-key", { reason: "not-logged-in" }],
    ["limit", { reason: "rate-limited", resetAtMs: Date.parse("2026-11-21T18:00:42Z") }],
    ["refused", { reason: "request-refused", status: 400 }],
    ["cut-short", { reason: "agent-went-nowhere", how: "its answer was cut at its longest" }],
    ["content-filter", { reason: "agent-refused" }],
  ];
  test.each(failures)("of %s is that failure, whatever its exit code", (name, failure) => {
    for (const exitCode of [0, 1]) {
      const { outcome } = judgeEvents(
        requestWith({}),
        eventsOf(opencode, `opencode-${name}`),
        endWith({ exitCode }),
      );
      expect(outcome).toMatchObject({ kind: "failed", failure: { agent: "developer", ...failure } });
    }
  });

  test("in its log of a service that failed is another try, but not for the title of the session", () => {
    const line = (small: boolean) =>
      `timestamp=x level=ERROR run=1 message="stream error" providerID=a small=${small} agent=build error.error="E: Overloaded"`;
    expect(opencode.readLog?.(line(false))).toEqual({ kind: "retry", status: null, detail: "E: Overloaded" });
    expect(opencode.readLog?.(line(true))).toBeNull();
    expect(opencode.readLog?.("anything else")).toBeNull();
  });
});
