// Every backend keeps the contract of agents.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe } from "vitest";
import {
  agentBackendConformance,
  hangingSource,
  lookingSource,
  type Play,
  type TokensUsed,
} from "../../conformance/agent-backend.ts";
import { call, type Reply, resultsOf, startAnthropicServer } from "../../support/anthropic-server.ts";
import { writeProgram } from "../process/programs.ts";

/** What a `command` or a `scripted` agent writes as its report; null: nothing. */
function reportOf(play: Play): object | null {
  switch (play.kind) {
    case "report":
      return { ...play.report, ...(play.usage && { usage: play.usage }) };
    case "look":
      return play.report;
    case "limit":
      return {
        failure: {
          kind: "rate-limited",
          message: "used up",
          resetAt: new Date(play.resetAtMs).toISOString(),
        },
      };
    case "login":
      return { failure: { kind: "not-logged-in", message: "log in first" } };
    default:
      return null;
  }
}

/** What its process does; empty: nothing. */
function sourceOf(play: Play): string {
  if (play.kind === "hang") return hangingSource(play.pidFile);
  return play.kind === "look" ? lookingSource(play.file) : "";
}

describe("command", () => {
  agentBackendConformance({
    backend: "command",
    make: async (place, play) => {
      const report = reportOf(play);
      const source = `import { createRequire } from "node:module";
        const require = createRequire(import.meta.url);
        const report = ${JSON.stringify(report)};
        if (report !== null) require("node:fs").writeFileSync(process.env.EXECUTE_PRD_REPORT, JSON.stringify(report));
        ${sourceOf(play)}`;
      return { agent: { command: await writeProgram(place.root, "agent", source) } };
    },
  });
});

describe("scripted", () => {
  agentBackendConformance({
    backend: "scripted",
    make: async (place, play) => {
      const script = join(place.root, "steps.json");
      const source = sourceOf(play);
      const actions = source === "" ? [] : [{ run: [process.execPath, "-e", source] }];
      await writeFile(script, JSON.stringify({ steps: [{ do: actions, report: reportOf(play) }] }));
      return { agent: { script } };
    },
  });
});

const acpAgent = fileURLToPath(new URL("../../support/acp-agent.mjs", import.meta.url));

describe("acp", () => {
  agentBackendConformance({
    backend: "acp",
    make: async (place, play) => {
      const script = join(place.root, "script.json");
      await writeFile(script, JSON.stringify({ turns: turnsOf(play) }));
      return { agent: { command: [process.execPath, acpAgent, script] } };
    },
  });
});

function turnsOf(play: Play): readonly (readonly object[])[] {
  switch (play.kind) {
    case "report":
      return [[{ say: JSON.stringify(play.report) }, { stop: "end_turn", usage: play.usage }]];
    case "look":
      return [[{ seen: play.file }, { say: JSON.stringify(play.report) }]];
    case "hang":
      return [[{ pid: play.pidFile }, { wait: 60_000 }]];
    case "limit": {
      const data = { status: 429, resetAt: new Date(play.resetAtMs).toISOString() };
      return [[{ error: { code: -32603, message: "used up", data } }]];
    }
    case "login":
      return [[{ error: { code: -32000, message: "Authentication required" } }]];
    default:
      return [[{ say: "I am done." }], [{ say: "I said so." }]];
  }
}

// The agent programs, as small programs that say what the real ones say.
const programs: Readonly<Record<string, (play: Play) => string>> = {
  "claude-code": (play) => {
    const init = { type: "system", subtype: "init", session_id: "s", model: "m" };
    const usage = play.kind === "report" ? play.usage : undefined;
    const done = {
      type: "result",
      subtype: "success",
      is_error: false,
      result: "I am done.",
      structured_output: play.kind === "report" || play.kind === "look" ? play.report : null,
      modelUsage: { m: { ...usage, costUSD: 0.1 } },
    };
    const failed = { type: "result", subtype: "success", is_error: true };
    const seconds = play.kind === "limit" ? play.resetAtMs / 1_000 : 0;
    const limit = { type: "rate_limit_event", rate_limit_info: { status: "rejected", resetsAt: seconds } };
    if (play.kind === "limit") return linesOf(init, limit, { ...failed, api_error_status: 429 });
    if (play.kind === "login") return linesOf(init, { ...failed, api_error_status: 401 });
    return playing(play, [init], [done]);
  },
  codex: (play) => {
    const id = "01a1ff45-755d-7b73-ba46-4f44f17cdc2e";
    const begin = [{ type: "thread.started", thread_id: id }, { type: "turn.started" }];
    const usage = play.kind === "report" && play.usage;
    const counted = usage && { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens };
    const text = wordsOf(play);
    const done = [
      { type: "item.completed", item: { id: "i", type: "agent_message", text } },
      { type: "turn.completed", usage: counted || {} },
    ];
    const info = play.kind === "limit" ? "usage_limit_exceeded" : "unauthorized";
    const window = { used_percent: 100, resets_at: play.kind === "limit" ? play.resetAtMs / 1_000 : 0 };
    const session = [
      { payload: { type: "token_count", rate_limits: { primary: window } } },
      { payload: { type: "task_complete", error: { message: "no", codex_error_info: info } } },
    ];
    if (play.kind === "limit" || play.kind === "login") {
      return `const folder = process.env.HOME + "/.codex/sessions/2031/01/02";
        fs.mkdirSync(folder, { recursive: true });
        fs.writeFileSync(folder + "/rollout-x-${id}.jsonl", ${JSON.stringify(session.map((each) => JSON.stringify(each)).join("\n"))});
        ${linesOf(...begin, { type: "turn.failed", error: { message: "no" } })}`;
    }
    return playing(play, begin, done);
  },
  gemini: (play) => {
    const begin = [{ type: "init", session_id: "s", model: "m" }];
    const usage = play.kind === "report" && play.usage;
    const stats = usage ? { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens } : {};
    const done = [
      { type: "message", role: "assistant", content: wordsOf(play), delta: true },
      { type: "result", status: "success", stats },
    ];
    if (play.kind === "login") return 'console.error("set the key"); process.exitCode = 41;';
    return playing(play, begin, done);
  },
  opencode: (play) => {
    const begin = [{ type: "step_start", sessionID: "ses_1", part: {} }];
    const usage = play.kind === "report" && play.usage;
    const tokens = usage ? { input: usage.inputTokens, output: usage.outputTokens } : {};
    const done = [
      { type: "text", sessionID: "ses_1", part: { text: wordsOf(play) } },
      { type: "step_finish", sessionID: "ses_1", part: { reason: "stop", tokens, cost: 0.1 } },
    ];
    if (play.kind === "login")
      return linesOf({ type: "error", error: { name: "ProviderAuthError", data: {} } });
    if (play.kind === "limit") {
      const after = Math.round((play.resetAtMs - Date.now()) / 1_000);
      const responseHeaders = { "retry-after": String(after), date: new Date().toUTCString() };
      return linesOf({
        type: "error",
        error: { name: "APIError", data: { statusCode: 429, responseHeaders } },
      });
    }
    return playing(play, begin, done);
  },
};

describe.each(["claude-code", "codex", "gemini", "opencode"] as const)("%s", (backend) => {
  agentBackendConformance({
    backend,
    cannot: backend === "gemini" ? ["limit"] : [],
    make: async (place, play) => {
      const source = `import { createRequire } from "node:module";
        const require = createRequire(import.meta.url);
        const fs = require("node:fs");
        fs.readFileSync(0);
        ${programs[backend]?.(play)}`;
      return { agent: { command: await writeProgram(place.root, "agent", source) } };
    },
  });
});

function playing(play: Play, begin: readonly object[], done: readonly object[]): string {
  if (play.kind === "hang") return `${linesOf(...begin)} ${sourceOf(play)}`;
  return `${linesOf(...begin)} ${sourceOf(play)}; ${linesOf(...done)}`;
}

function linesOf(...lines: readonly object[]): string {
  return `console.log(${JSON.stringify(lines.map((line) => JSON.stringify(line)).join("\n"))});`;
}

function wordsOf(play: Play): string {
  const report = play.kind === "report" || play.kind === "look" ? play.report : null;
  return report === null ? "I am done." : JSON.stringify(report);
}

describe("anthropic", () => {
  agentBackendConformance({
    backend: "anthropic",
    make: async (_, play) => {
      const server = await startAnthropicServer((body) => replyOf(play, resultsOf(body).length > 0));
      const environment = {
        ANTHROPIC_API_KEY: "sk-test-0123456789abcdefghij",
        ANTHROPIC_BASE_URL: server.url,
      };
      return { agent: {}, environment };
    },
  });
});

function replyOf(play: Play, hasWorked: boolean): Reply {
  const source = sourceOf(play);
  if (source !== "" && !hasWorked) {
    const command = `${process.execPath} -e "$(cat <<'END'\n${source}\nEND\n)"`;
    return { content: [call("bash", { command })] };
  }
  switch (play.kind) {
    case "report":
      return { content: [call("report", play.report)], ...(play.usage && { usage: toCounted(play.usage) }) };
    case "look":
      return { content: [call("report", play.report)] };
    case "limit":
      return { status: 429, headers: { "retry-after": new Date(play.resetAtMs).toUTCString() } };
    case "login":
      return { status: 401 };
    default:
      return { content: "I am done." };
  }
}

function toCounted({ inputTokens, outputTokens }: TokensUsed): Record<string, number> {
  const none = { cache_read_input_tokens: 0, cache_creation_input_tokens: 0 };
  return { ...none, input_tokens: inputTokens, output_tokens: outputTokens };
}
