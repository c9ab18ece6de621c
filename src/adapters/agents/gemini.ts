// Backend `gemini`: the Gemini CLI without a terminal, unattended, with tools that its role may have.

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
import { objectIn, textIn, tokensIn } from "./json-field.ts";
import { agentHomeVariables, keyVariables } from "./program-variables.ts";
import { toDetail, toServiceFailure } from "./service-failure.ts";
import { lookingCommands, toolNames } from "./tool-names.ts";

export const gemini: CliProgram = { program: "gemini", build, read, readLog, readExit };

const names = {
  read: ["read_file", "read_many_files", "list_directory"],
  write: ["write_file"],
  edit: ["replace"],
  bash: ["run_shell_command"],
  grep: ["grep_search"],
  glob: ["glob"],
  webfetch: ["web_fetch"],
  websearch: ["google_web_search"],
} as const;
const lookingTools: readonly string[] = [...names.read, ...names.grep, ...names.glob];
const writingTools = [...names.write, ...names.edit];
const shell = "run_shell_command";

function build(turn: CliTurn): CliCommand {
  const { request, folder, session } = turn;
  const { model, instructions } = request.agent;
  const policyFile = join(folder, "policy.toml");
  // With a key nothing of the program's home is needed, and a fresh one has no settings of anybody.
  const home = turn.auth === "key" ? join(folder, "home") : turn.home;
  const settings =
    home === null ? [] : [{ path: join(home, ".gemini", "settings.json"), text: toSettings(turn) }];
  return {
    args: [
      ...["-o", "stream-json", "--skip-trust", "--approval-mode", "default"],
      ...["--policy", policyFile, "--include-directories", folder],
      ...["--allowed-mcp-server-names", "none", "-e", "none"],
      ...(model === "" ? [] : ["-m", model]),
      ...(session === null ? [] : ["--resume", session]),
    ],
    input:
      session === null && instructions !== "" ? `${instructions.trimEnd()}\n\n${turn.prompt}` : turn.prompt,
    names: turn.auth === "key" ? keyVariables("gemini") : [],
    // It leaves reports of errors, with the prompt in them, in the temporary folder.
    given: { ...agentHomeVariables("gemini", home), TMPDIR: folder },
    files: [{ path: policyFile, text: toPolicy(request) }, ...settings],
  };
}

function toSettings({ auth, request }: CliTurn): string {
  const { maxTurns } = request.agent;
  return JSON.stringify({
    general: { disableAutoUpdate: true, disableUpdateNag: true, maxAttempts: 3 },
    security: { auth: { selectedType: auth === "key" ? "gemini-api-key" : "oauth-personal" } },
    privacy: { usageStatisticsEnabled: false },
    ...(maxTurns > 0 && { model: { maxSessionTurns: maxTurns } }),
  });
}

/** What is not allowed by name is denied; nobody is asked. */
function toPolicy(request: AgentRequest): string {
  const isWriter = mayWrite(request);
  const usual = [...lookingTools, ...(isWriter ? writingTools : []), shell];
  const wanted = toolNames(request.agent.tools, names) ?? usual;
  const tools = isWriter ? wanted : wanted.filter((tool) => lookingTools.includes(tool) || tool === shell);
  const plain = tools.filter((tool) => tool !== shell || isWriter);
  const looks = !isWriter && tools.includes(shell);
  return [
    toRule({ toolName: "*", decision: "deny", priority: 100 }),
    ...(plain.length > 0 ? [toRule({ toolName: plain, decision: "allow", priority: 200 })] : []),
    ...(looks
      ? [
          toRule({ toolName: shell, commandPrefix: lookingCommands, decision: "allow", priority: 200 }),
          // git can be told to write its output to a file.
          toRule({ toolName: shell, commandRegex: ".*--output.*", decision: "deny", priority: 300 }),
        ]
      : []),
  ].join("\n");
}

/** Texts and lists of texts look the same in TOML as in JSON. */
function toRule(rule: Readonly<Record<string, string | readonly string[] | number>>): string {
  const fields = Object.entries(rule).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  return `[[rule]]\n${fields.join("\n")}\n`;
}

function read(line: JsonObject, { agent, text }: CliContext): CliRead {
  switch (textIn(line, "type")) {
    case "init": {
      const id = textIn(line, "session_id");
      return { events: id === null ? [] : [{ kind: "session", id, model: textIn(line, "model") }], text };
    }
    case "message":
      return readMessage(line, text);
    case "tool_use": {
      const id = textIn(line, "tool_id") ?? "";
      const started: AgentEvent = { kind: "tool-started", id, name: textIn(line, "tool_name") ?? "tool" };
      return { events: [...whole(text), started], text: "" };
    }
    case "tool_result":
      return { events: readToolResult(line), text };
    case "result":
      return { events: readResult(line, { agent, text }), text: "" };
    default:
      return { events: [], text };
  }
}

/** A message comes in pieces, which end where a tool is used. */
function readMessage(line: JsonObject, text: string): CliRead {
  if (textIn(line, "role") !== "assistant") return { events: [], text };
  const piece = textIn(line, "content") ?? "";
  if (line["delta"] === true) return { events: [], text: text + piece };
  return { events: whole(text), text: piece };
}

function whole(text: string): readonly AgentEvent[] {
  return text.trim() === "" ? [] : [{ kind: "text", text }];
}

function readToolResult(line: JsonObject): readonly AgentEvent[] {
  const error = objectIn(line, "error");
  const ended: AgentEvent = {
    kind: "tool-ended",
    id: textIn(line, "tool_id") ?? "",
    ok: textIn(line, "status") === "success",
  };
  const what = textIn(error, "type");
  if (what !== "policy_violation" && what !== "tool_not_registered") return [ended];
  const tool = (textIn(line, "tool_id") ?? "a tool").replace(/__.*$/, "");
  return [ended, { kind: "denied", tool, detail: toDetail(textIn(error, "message") ?? "") }];
}

function readResult(line: JsonObject, { agent, text }: CliContext): readonly AgentEvent[] {
  const usage: AgentEvent = { kind: "usage", usage: toUsage(objectIn(line, "stats")), mode: "add" };
  if (textIn(line, "status") === "success") {
    return [...whole(text), usage, { kind: "done", ok: true, text, report: undefined }];
  }
  const error = objectIn(line, "error");
  const message = textIn(error, "message") ?? "";
  const known = toKnownError(textIn(error, "type"), { agent, message });
  return known === null
    ? [usage, { kind: "done", ok: false, text: toDetail(message), report: undefined }]
    : [usage, known];
}

function toKnownError(
  what: string | null,
  { agent, message }: { agent: string; message: string },
): AgentEvent | null {
  const detail = toDetail(message);
  switch (what) {
    case "FatalTurnLimitedError":
      return { kind: "error", failure: { reason: "agent-went-nowhere", agent, how: "it used up its turns" } };
    case "FatalAuthenticationError":
      return { kind: "error", failure: { reason: "not-logged-in", agent, detail } };
    default:
      return null;
  }
}

/** It tells on stderr that it asks again, and nothing of it in its stream. */
function readLog(line: string): AgentEvent | null {
  const found = /^Attempt \d+ failed with status (\d{3})\. Retrying with backoff/.exec(line);
  return found === null ? null : { kind: "retry", status: Number(found[1]), detail: toDetail(line) };
}

const codes = { notLoggedIn: 41, badInput: 42, badSettings: 52, turns: 53, untrusted: 55 } as const;

/** Its exit code names what its stream does not: one of its own codes, or the lower byte of the service's status. */
function readExit(exitCode: number, { agent, tail }: { agent: string; tail: string }): AgentEvent | null {
  const detail = toDetail(wordsIn(tail));
  switch (exitCode) {
    case codes.notLoggedIn:
      return { kind: "error", failure: { reason: "not-logged-in", agent, detail } };
    case codes.turns:
      return { kind: "error", failure: { reason: "agent-went-nowhere", agent, how: "it used up its turns" } };
    case codes.badInput:
    case codes.badSettings:
    case codes.untrusted:
      return { kind: "error", failure: { reason: "request-refused", agent, status: null, detail } };
    default: {
      const status = exitCode + 256;
      if (status < 400 || status > 511) return null;
      return { kind: "error", failure: toServiceFailure({ agent, status, detail }) };
    }
  }
}

/** What its stream says of the error, else the last line of its log that says something: not the end of a dump. */
function wordsIn(tail: string): string {
  const lines = tail.trim().split("\n");
  for (const line of lines.toReversed()) {
    const message = line.startsWith("{") ? textIn(objectIn(parsed(line), "error"), "message") : null;
    if (message !== null && message !== "") return message;
  }
  return lines.findLast((line) => /\p{L}{2}/u.test(line) && !/^\s*(?:\{|at )/.test(line)) ?? "";
}

function parsed(line: string): JsonValue {
  try {
    // What JSON.parse gives is a JSON value.
    return JSON.parse(line) as JsonValue;
  } catch {
    return null;
  }
}

function toUsage(stats: JsonObject): Usage {
  const cacheReadTokens = tokensIn(stats, "cached");
  const input = tokensIn(stats, "input_tokens");
  // What it thought is in the total alone.
  const outputTokens = Math.max(tokensIn(stats, "output_tokens"), tokensIn(stats, "total_tokens") - input);
  return {
    inputTokens: Math.max(0, input - cacheReadTokens),
    outputTokens,
    cacheReadTokens,
    cacheWriteTokens: 0,
    costUsd: null,
    costBasis: "unknown",
    model: null,
  };
}
