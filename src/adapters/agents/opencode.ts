// Backend `opencode`: `opencode run`, unattended, with permissions that its role may have.

import { join } from "node:path";
import type { JsonObject, JsonValue } from "../../core/json.ts";
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
import { numberIn, objectIn, textIn, tokensIn } from "./json-field.ts";
import { agentHomeVariables, keyVariables, variableOf } from "./program-variables.ts";
import { toDetail, toServiceFailure } from "./service-failure.ts";
import { lookingCommands, toolNames } from "./tool-names.ts";

export const opencode: CliProgram = { program: "opencode", build, read, readLog };

const names = {
  read: ["read", "list"],
  write: ["edit"],
  edit: ["edit"],
  bash: ["bash"],
  grep: ["grep"],
  glob: ["glob"],
  webfetch: ["webfetch"],
  websearch: ["websearch"],
} as const;

function build(turn: CliTurn): CliCommand {
  const { request, folder, session } = turn;
  const { model, effort, instructions } = request.agent;
  const roleFile = join(folder, "role.md");
  const hasRole = instructions !== "";
  const config: JsonObject = {
    autoupdate: false,
    share: "disabled",
    snapshot: false,
    permission: toPermission(request, folder),
    ...(hasRole && { instructions: [roleFile] }),
    ...(turn.auth === "key" && { provider: toProviders(turn) }),
  };
  return {
    args: [
      ...["run", "--format", "json", "--dir", request.cwd, "--print-logs", "--log-level", "ERROR"],
      ...(model === "" ? [] : ["-m", model]),
      ...(effort === null ? [] : ["--variant", effort]),
      ...(session === null ? [] : ["--session", session]),
    ],
    input: turn.prompt,
    // Addresses are in the configuration: it reads no variables for them.
    names: turn.auth === "key" ? keyVariables("opencode").filter((name) => !name.endsWith("_BASE_URL")) : [],
    given: {
      ...agentHomeVariables("opencode", turn.home),
      OPENCODE_CONFIG_CONTENT: JSON.stringify(config),
      OPENCODE_DISABLE_PROJECT_CONFIG: "1",
      OPENCODE_DISABLE_AUTOUPDATE: "1",
      OPENCODE_PURE: "1",
    },
    files: hasRole ? [{ path: roleFile, text: instructions }] : [],
  };
}

/** Nothing is asked: what is asked without a person ends the program. */
function toPermission(request: AgentRequest, folder: string): JsonObject {
  const isWriter = mayWrite(request);
  const usual = ["read", "list", "glob", "grep", "todowrite", "bash", ...(isWriter ? ["edit"] : [])];
  const wanted = toolNames(request.agent.tools, names) ?? usual;
  const tools = isWriter ? wanted : wanted.filter((tool) => tool !== "edit");
  const looking = Object.fromEntries(lookingCommands.map((command) => [`${command}*`, "allow"]));
  // The last rule that fits holds. git can be told to write its output to a file.
  const commands: JsonValue = isWriter
    ? "allow"
    : { "*": "deny", ...looking, "*--output*": "deny", "*>*": "deny" };
  return {
    "*": "deny",
    ...Object.fromEntries(tools.map((tool) => [tool, tool === "bash" ? commands : "allow"])),
    external_directory: { "*": "deny", [join(folder, "*")]: "allow" },
  };
}

/** Providers whose address the builder has set. */
function toProviders({ environment }: CliTurn): JsonObject {
  const anthropic = variableOf(environment, "ANTHROPIC_BASE_URL");
  const openai = variableOf(environment, "OPENAI_BASE_URL");
  return {
    ...(anthropic !== null && { anthropic: { options: { baseURL: `${anthropic.replace(/\/$/, "")}/v1` } } }),
    ...(openai !== null && { openai: { options: { baseURL: openai } } }),
  };
}

function read(line: JsonObject, { agent, text }: CliContext): CliRead {
  const part = objectIn(line, "part");
  const id = textIn(line, "sessionID");
  switch (textIn(line, "type")) {
    case "step_start":
      return { events: id === null ? [] : [{ kind: "session", id, model: null }], text };
    case "text": {
      const said = textIn(part, "text") ?? "";
      return { events: said === "" ? [] : [{ kind: "text", text: said }], text: said === "" ? text : said };
    }
    case "tool_use":
      return { events: readTool(part), text };
    case "step_finish":
      return { events: readFinish(part, { agent, text }), text };
    case "error":
      return { events: [toError(objectIn(line, "error"), agent)], text };
    default:
      return { events: [], text };
  }
}

/** A tool is told when it has ended. */
function readTool(part: JsonObject): readonly AgentEvent[] {
  const id = textIn(part, "callID") ?? "";
  const name = textIn(part, "tool") ?? "tool";
  const state = objectIn(part, "state");
  const ok = textIn(state, "status") === "completed" && name !== "invalid";
  const events: AgentEvent[] = [
    { kind: "tool-started", id, name },
    { kind: "tool-ended", id, ok },
  ];
  // There is no other sign of a denial: the error of a tool that was run is in its output.
  const error = textIn(state, "error");
  if (!ok && error !== null)
    events.push({ kind: "denied", tool: name, detail: toDetail(error).slice(0, 120) });
  return events;
}

function readFinish(part: JsonObject, { agent, text }: CliContext): readonly AgentEvent[] {
  const usage: AgentEvent = { kind: "usage", usage: toUsage(part), mode: "add" };
  switch (textIn(part, "reason")) {
    case "stop":
      return [usage, { kind: "done", ok: true, text, report: undefined }];
    case "length":
      return [
        usage,
        {
          kind: "error",
          failure: { reason: "agent-went-nowhere", agent, how: "its answer was cut at its longest" },
        },
      ];
    case "content-filter":
      return [usage, { kind: "error", failure: { reason: "agent-refused", agent, detail: toDetail(text) } }];
    default:
      return [usage];
  }
}

function toError(error: JsonObject, agent: string): AgentEvent {
  const data = objectIn(error, "data");
  const name = textIn(error, "name") ?? "";
  const detail = toDetail(textIn(data, "message") ?? name);
  switch (name) {
    case "ProviderAuthError":
      return { kind: "error", failure: { reason: "not-logged-in", agent, detail } };
    case "ContentFilterError":
      return { kind: "error", failure: { reason: "agent-refused", agent, detail } };
    case "ContextOverflowError":
      return {
        kind: "error",
        failure: { reason: "agent-went-nowhere", agent, how: "its context is used up" },
      };
    case "MessageOutputLengthError":
      return {
        kind: "error",
        failure: { reason: "agent-went-nowhere", agent, how: "its answer was cut at its longest" },
      };
    case "APIError": {
      const status = numberIn(data, "statusCode");
      return {
        kind: "error",
        failure: toServiceFailure({ agent, status, detail, resetAtMs: resetOf(data) }),
      };
    }
    default:
      return { kind: "error", failure: { reason: "request-refused", agent, status: null, detail } };
  }
}

/** `retry-after` in seconds, seen from the service's own clock. */
function resetOf(data: JsonObject): number | null {
  const headers = objectIn(data, "responseHeaders");
  const seconds = Number(textIn(headers, "retry-after") ?? Number.NaN);
  const sentAtMs = Date.parse(textIn(headers, "date") ?? "");
  return Number.isFinite(seconds) && Number.isFinite(sentAtMs) ? sentAtMs + seconds * 1_000 : null;
}

/** It asks a service that failed again and again, and tells it in its log alone. */
function readLog(line: string): AgentEvent | null {
  if (!/ message="stream error" /.test(line) || / small=true /.test(line)) return null;
  const detail = / error\.error="((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? "";
  return { kind: "retry", status: null, detail: toDetail(detail) };
}

function toUsage(part: JsonObject): Usage {
  const tokens = objectIn(part, "tokens");
  const cache = objectIn(tokens, "cache");
  // 0: it has no price for the model, or a subscription pays.
  const cost = numberIn(part, "cost");
  const costUsd = cost === null || cost <= 0 ? null : cost;
  return {
    inputTokens: tokensIn(tokens, "input"),
    outputTokens: tokensIn(tokens, "output") + tokensIn(tokens, "reasoning"),
    cacheReadTokens: tokensIn(cache, "read"),
    cacheWriteTokens: tokensIn(cache, "write"),
    costUsd,
    costBasis: costUsd === null ? "unknown" : "reported",
    model: null,
  };
}
