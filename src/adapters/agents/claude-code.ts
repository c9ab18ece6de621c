// Backend `claude-code`: `claude -p`, unattended, with tools and places that its role may have.

import { join } from "node:path";
import type { JsonObject } from "../../core/json.ts";
import type { Usage } from "../../core/report.ts";
import type { AgentRequest } from "../../ports.ts";
import type { AgentEvent } from "./agent-event.ts";
import {
  type CliCommand,
  type CliContext,
  type CliProgram,
  type CliRead,
  type CliTurn,
  mayWrite,
} from "./cli-program.ts";
import { isObject, momentIn, numberIn, objectIn, objectsIn, textIn, tokensIn } from "./json-field.ts";
import { agentHomeVariables, keyVariables } from "./program-variables.ts";
import { askedSchema } from "./report-schema.ts";
import { toDetail, toServiceFailure } from "./service-failure.ts";
import { lookingCommands, toolNames } from "./tool-names.ts";

export const claudeCode: CliProgram = { program: "claude", build, read };

const names = {
  read: ["Read"],
  write: ["Write"],
  edit: ["Edit"],
  bash: ["Bash"],
  grep: ["Grep"],
  glob: ["Glob"],
  webfetch: ["WebFetch"],
  websearch: ["WebSearch"],
} as const;
const writing = ["Write", "Edit", "NotebookEdit"];

function build(turn: CliTurn): CliCommand {
  const { request, folder, session } = turn;
  const { model, effort, maxTurns, instructions } = request.agent;
  const roleFile = join(folder, "role.md");
  const hasRole = instructions !== "";
  return {
    args: [
      ...["-p", "--output-format", "stream-json", "--verbose"],
      ...["--permission-mode", "dontAsk", "--restricted", "--setting-sources=", "--strict-mcp-config"],
      ...toolArgs(request),
      ...["--add-dir", folder],
      ...["--json-schema", JSON.stringify(askedSchema(request.stage))],
      ...(model === "" ? [] : ["--model", model]),
      ...(effort === null ? [] : ["--effort", effort]),
      ...(maxTurns > 0 ? ["--max-turns", String(maxTurns)] : []),
      ...(hasRole ? ["--append-system-prompt-file", roleFile] : []),
      ...(session === null ? [] : ["--resume", session]),
    ],
    input: turn.prompt,
    names: turn.auth === "key" ? keyVariables("claude-code") : [],
    given: {
      ...agentHomeVariables("claude-code", turn.home),
      CLAUDE_CODE_MAX_RETRIES: "3",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    },
    files: hasRole ? [{ path: roleFile, text: instructions }] : [],
  };
}

function toolArgs(request: AgentRequest): readonly string[] {
  const isWriter = mayWrite(request);
  const usual = isWriter
    ? ["Read", "Edit", "Write", "Bash", "Grep", "Glob"]
    : ["Read", "Bash", "Grep", "Glob"];
  const wanted = toolNames(request.agent.tools, names) ?? usual;
  const tools = isWriter ? wanted : wanted.filter((tool) => !writing.includes(tool));
  // A plain `Write` would allow writing anywhere; a rule for Edit confines both.
  const allowed = tools.filter((tool) => tool !== "Bash" && !writing.includes(tool));
  const written = tools.some((tool) => writing.includes(tool)) ? ["Edit(./**)"] : [];
  const looking = lookingCommands.map((command) => `Bash(${command}:*)`);
  const commands = tools.includes("Bash") ? (isWriter ? ["Bash"] : looking) : [];
  const all = [...allowed, ...written, ...commands];
  return [
    ...["--tools", tools.join(",")],
    ...(all.length > 0 ? ["--allowedTools", ...all] : []),
    // git can be told to write its output to a file.
    ...(isWriter ? [] : ["--disallowedTools", "Bash(*--output*)"]),
  ];
}

function read(line: JsonObject, context: CliContext): CliRead {
  const { text } = context;
  switch (textIn(line, "type")) {
    case "system":
      return { events: readSystem(line), text };
    case "assistant":
      return readAssistant(line, context);
    case "user":
      return { events: readToolResults(line), text };
    case "rate_limit_event":
      return { events: readLimit(objectIn(line, "rate_limit_info")), text };
    case "result":
      return { events: readResult(line, context), text };
    default:
      return { events: [], text };
  }
}

function readSystem(line: JsonObject): readonly AgentEvent[] {
  switch (textIn(line, "subtype")) {
    case "init": {
      const id = textIn(line, "session_id");
      return id === null ? [] : [{ kind: "session", id, model: textIn(line, "model") }];
    }
    case "permission_denied": {
      const tool = textIn(line, "tool_name") ?? "a tool";
      return [{ kind: "denied", tool, detail: toDetail(textIn(line, "message") ?? "") }];
    }
    case "api_retry":
      return [
        {
          kind: "retry",
          status: numberIn(line, "error_status"),
          detail: toDetail(textIn(line, "error") ?? ""),
        },
      ];
    default:
      return [];
  }
}

function readAssistant(line: JsonObject, { agent, text }: CliContext): CliRead {
  // Of a subagent: its words are not the agent's.
  if (textIn(line, "parent_tool_use_id") !== null) return { events: [], text };
  const content = objectsIn(objectIn(line, "message"), "content");
  const said = content
    .map((part) => (textIn(part, "type") === "text" ? (textIn(part, "text") ?? "") : ""))
    .join("");
  if (line["is_api_error_message"] === true) {
    const named = toNamedError(textIn(line, "error"), { agent, detail: toDetail(said) });
    return { events: named === null ? [] : [named], text };
  }
  const tools = content.flatMap((part): AgentEvent[] => {
    const id = textIn(part, "id");
    if (textIn(part, "type") !== "tool_use" || id === null) return [];
    return [{ kind: "tool-started", id, name: textIn(part, "name") ?? "tool" }];
  });
  return {
    events: [...(said === "" ? [] : [{ kind: "text", text: said } as const]), ...tools],
    text: said || text,
  };
}

function readToolResults(line: JsonObject): readonly AgentEvent[] {
  return objectsIn(objectIn(line, "message"), "content").flatMap((part): AgentEvent[] => {
    const id = textIn(part, "tool_use_id");
    if (textIn(part, "type") !== "tool_result" || id === null) return [];
    return [{ kind: "tool-ended", id, ok: part["is_error"] !== true }];
  });
}

function readLimit(info: JsonObject): readonly AgentEvent[] {
  if (textIn(info, "status") !== "rejected") return [];
  return [
    {
      kind: "limit",
      resetAtMs: momentIn(info, "resetsAt"),
      detail: toDetail(textIn(info, "rateLimitType") ?? ""),
    },
  ];
}

/** Kinds of errors that the program names; the others have a status, which the result tells. */
function toNamedError(what: string | null, about: { agent: string; detail: string }): AgentEvent | null {
  const { agent, detail } = about;
  switch (what) {
    case "authentication_failed":
    case "oauth_org_not_allowed":
      return { kind: "error", failure: { reason: "not-logged-in", agent, detail } };
    case "billing_error":
      return { kind: "error", failure: { reason: "credit-empty", agent, detail } };
    case "rate_limit":
      return { kind: "error", failure: { reason: "rate-limited", agent, resetAtMs: null, detail } };
    default:
      return null;
  }
}

function readResult(line: JsonObject, { agent, text }: CliContext): readonly AgentEvent[] {
  const usage: AgentEvent = { kind: "usage", usage: toUsage(line), mode: "add" };
  const final = textIn(line, "result");
  const went = wentNowhere(line);
  if (went !== null)
    return [{ kind: "error", failure: { reason: "agent-went-nowhere", agent, how: went } }, usage];
  if (textIn(line, "stop_reason") === "refusal") {
    return [
      { kind: "error", failure: { reason: "agent-refused", agent, detail: toDetail(final ?? text) } },
      usage,
    ];
  }
  const isReportMissing = textIn(line, "subtype") === "error_max_structured_output_retries";
  if (line["is_error"] === true && !isReportMissing) {
    const status = numberIn(line, "api_error_status");
    const detail = final ?? textIn(line, "subtype") ?? "it gave no reason";
    return [{ kind: "error", failure: toServiceFailure({ agent, status, detail }) }, usage];
  }
  return [usage, { kind: "done", ok: true, text: final ?? text, report: line["structured_output"] }];
}

function wentNowhere(line: JsonObject): string | null {
  const end = textIn(line, "terminal_reason");
  if (end === "max_turns" || textIn(line, "subtype") === "error_max_turns") {
    return `it used up its ${numberIn(line, "num_turns") ?? ""} turns`.replace("  ", " ");
  }
  return end === "prompt_too_long" ? "its context is used up" : null;
}

/** Of this process alone: what is counted for a session goes on where the last process ended. */
function toUsage(line: JsonObject): Usage {
  const since = objectIn(line, "model_usage_since_last_result");
  const models = Object.keys(since).length > 0 ? since : objectIn(line, "modelUsage");
  const parts = Object.values(models).filter(isObject);
  const sum = (name: string) => parts.reduce((total, part) => total + tokensIn(part, name), 0);
  const costs = parts.map((part) => numberIn(part, "costUSD"));
  const costUsd =
    costs.includes(null) || costs.length === 0
      ? numberIn(line, "total_cost_usd")
      : costs.reduce<number>((total, cost) => total + (cost ?? 0), 0);
  return {
    inputTokens: sum("inputTokens"),
    outputTokens: sum("outputTokens"),
    cacheReadTokens: sum("cacheReadInputTokens"),
    cacheWriteTokens: sum("cacheCreationInputTokens"),
    costUsd,
    costBasis: costUsd === null ? "unknown" : "reported",
    model: null,
  };
}
