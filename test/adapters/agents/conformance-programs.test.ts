// The agent programs keep the contract of agents: small programs say what the real ones say.

import { describe } from "vitest";
import {
  agentBackendConformance,
  hangingSource,
  lookingSource,
  type Play,
  type TokensUsed,
} from "../../conformance/agent-backend.ts";
import { writeProgram } from "../process/programs.ts";
import type { Place } from "./requests.ts";

const session = "01a1ff45-5e4d-7202-bf28-d8919ec85073";

/** What a program prints for a play, line by line, and how it ends. */
interface Said {
  readonly lines: readonly object[];
  readonly exitCode?: number;
  /** Run before anything is printed. */
  readonly source?: string;
}

/** A program that reads its prompt, does what the play wants, and says so in its own way. */
function writeFake(place: Place, play: Play, { lines, exitCode = 0, source = "" }: Said) {
  const own =
    play.kind === "hang" ? hangingSource(play.pidFile) : play.kind === "look" ? lookingSource(play.file) : "";
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  return writeProgram(
    place.root,
    "fake",
    `import { createRequire } from "node:module";
     const require = createRequire(import.meta.url);
     const fs = require("node:fs");
     fs.readFileSync(0);
     ${source}
     fs.writeSync(1, ${JSON.stringify(text)});
     process.exitCode = ${exitCode};
     ${own}`,
  );
}

const noTokens: TokensUsed = { inputTokens: 0, outputTokens: 0 };

function reportIn(play: Play): object | null {
  return play.kind === "report" || play.kind === "look" ? play.report : null;
}

function usedIn(play: Play): TokensUsed {
  return play.kind === "report" ? (play.usage ?? noTokens) : noTokens;
}

/** What an agent says last: its report as a text, or words. */
function wordsOf(play: Play): string {
  const report = reportIn(play);
  return report === null ? "I am done." : JSON.stringify(report);
}

describe("claude-code", () => {
  const init = { type: "system", subtype: "init", session_id: session, model: "model-1" };

  function say(play: Play): Said {
    if (play.kind === "hang") return { lines: [init] };
    const used = usedIn(play);
    const modelUsage = { "model-1": { ...used, cacheReadInputTokens: 0, cacheCreationInputTokens: 0 } };
    const result = {
      type: "result",
      subtype: "success",
      session_id: session,
      total_cost_usd: 0.5,
      modelUsage,
    };
    const failed = { ...result, is_error: true, terminal_reason: "api_error" };
    const saidError = (error: string, text: string) => ({
      type: "assistant",
      message: { model: "<synthetic>", content: [{ type: "text", text }] },
      error,
      is_api_error_message: true,
    });
    if (play.kind === "limit") {
      const info = { status: "rejected", resetsAt: play.resetAtMs / 1_000, rateLimitType: "five_hour" };
      return {
        lines: [
          init,
          { type: "rate_limit_event", rate_limit_info: info },
          saidError("rate_limit", "You've hit your limit"),
          { ...failed, api_error_status: 429, result: "You've hit your limit" },
        ],
        exitCode: 1,
      };
    }
    if (play.kind === "login") {
      const text = "Not logged in · Please run /login";
      return {
        lines: [init, saidError("authentication_failed", text), { ...failed, result: text }],
        exitCode: 1,
      };
    }
    const report = reportIn(play);
    const answered = { is_error: false, terminal_reason: "completed", result: "I am done." };
    return { lines: [init, { ...result, ...answered, ...(report && { structured_output: report }) }] };
  }

  agentBackendConformance({
    backend: "claude-code",
    make: async (place, play) => ({
      agent: { command: await writeFake(place, play, say(play)) },
      environment: { ANTHROPIC_API_KEY: "sk-for-the-program-0123456789" },
    }),
  });
});

describe("codex", () => {
  const started = { type: "thread.started", thread_id: session };
  const item = (play: Play) => ({
    type: "item.completed",
    item: { id: "item_0", type: "agent_message", text: wordsOf(play) },
  });

  function say(play: Play): Said {
    if (play.kind === "hang") return { lines: [started] };
    if (play.kind === "limit" || play.kind === "login") {
      const message = "it did not go";
      return {
        lines: [started, { type: "turn.failed", error: { message } }],
        exitCode: 1,
        source: leaveSession(
          play.kind === "limit"
            ? [
                {
                  type: "token_count",
                  rate_limits: { primary: { used_percent: 100, resets_at: play.resetAtMs / 1_000 } },
                },
                { type: "task_complete", error: { message, codex_error_info: "usage_limit_exceeded" } },
              ]
            : [{ type: "task_complete", error: { message, codex_error_info: "unauthorized" } }],
        ),
      };
    }
    const { inputTokens, outputTokens } = usedIn(play);
    const usage = { input_tokens: inputTokens, cached_input_tokens: 0, output_tokens: outputTokens };
    return { lines: [started, item(play), { type: "turn.completed", usage }] };
  }

  /** The program's own file of the session, where the kind of an error is. */
  function leaveSession(payloads: readonly object[]): string {
    const text = payloads.map((payload) => `${JSON.stringify({ type: "event_msg", payload })}\n`).join("");
    return `const home = process.env.CODEX_HOME ?? process.env.HOME + "/.codex";
      const folder = home + "/sessions/2026/11/21";
      fs.mkdirSync(folder, { recursive: true });
      fs.writeFileSync(folder + "/rollout-2026-11-21T18-00-00-${session}.jsonl", ${JSON.stringify(text)});`;
  }

  agentBackendConformance({
    backend: "codex",
    make: async (place, play) => ({
      agent: { command: await writeFake(place, play, say(play)), auth: "login" },
    }),
  });
});

describe("gemini", () => {
  const init = { type: "init", session_id: session, model: "model-1" };

  function say(play: Play): Said {
    if (play.kind === "hang") return { lines: [init] };
    const used = usedIn(play);
    const stats = {
      input_tokens: used.inputTokens,
      output_tokens: used.outputTokens,
      cached: 0,
      input: used.inputTokens,
    };
    if (play.kind === "limit" || play.kind === "login") {
      const error = { type: "unknown", message: "[API Error: it did not go]" };
      // The lower byte of the service's status.
      const exitCode = (play.kind === "limit" ? 429 : 401) - 256;
      return { lines: [init, { type: "result", status: "error", error, stats }], exitCode };
    }
    const message = { type: "message", role: "assistant", content: wordsOf(play), delta: true };
    return { lines: [init, message, { type: "result", status: "success", stats }] };
  }

  agentBackendConformance({
    backend: "gemini",
    cannot: ["limit end"],
    make: async (place, play) => ({
      agent: { command: await writeFake(place, play, say(play)) },
      environment: { GEMINI_API_KEY: "key-for-the-program-0123456789" },
    }),
  });
});

describe("opencode", () => {
  const sessionID = "ses_e00bcfcb6ffe36jFDBMWaDwRLN";
  const step = { type: "step_start", sessionID, part: { type: "step-start" } };

  function say(play: Play): Said {
    if (play.kind === "hang") return { lines: [step] };
    if (play.kind === "limit" || play.kind === "login") {
      const isLimit = play.kind === "limit";
      const seconds = isLimit ? Math.round((play.resetAtMs - Date.now()) / 1_000) : 0;
      const data = {
        message: "it did not go",
        statusCode: isLimit ? 429 : 401,
        isRetryable: isLimit,
        responseHeaders: isLimit ? { date: new Date().toUTCString(), "retry-after": String(seconds) } : {},
      };
      return {
        lines: [{ type: "error", sessionID, timestamp: Date.now(), error: { name: "APIError", data } }],
      };
    }
    const { inputTokens, outputTokens } = usedIn(play);
    const tokens = { input: inputTokens, output: outputTokens, reasoning: 0, cache: { read: 0, write: 0 } };
    return {
      lines: [
        step,
        { type: "text", sessionID, part: { type: "text", text: wordsOf(play) } },
        { type: "step_finish", sessionID, part: { type: "step-finish", reason: "stop", tokens, cost: 0.5 } },
      ],
    };
  }

  agentBackendConformance({
    backend: "opencode",
    make: async (place, play) => ({
      agent: { command: await writeFake(place, play, say(play)) },
      environment: { ANTHROPIC_API_KEY: "sk-for-the-program-0123456789" },
    }),
  });
});
