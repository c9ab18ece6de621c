// Backend `codex`: `codex exec`, unattended, in the sandbox of its own that its role may have.

import { join } from "node:path";
import type { JsonObject } from "../../core/json.ts";
import type { Usage } from "../../core/report.ts";
import type { AgentEvent } from "./agent-event.ts";
import {
  type CliCommand,
  type CliContext,
  type CliProgram,
  type CliRead,
  type CliTurn,
  mayWrite,
} from "./cli-program.ts";
import { readCodexSession } from "./codex-session.ts";
import { objectIn, textIn, tokensIn } from "./json-field.ts";
import { agentHomeVariables, variableOf } from "./program-variables.ts";
import { strictSchema } from "./report-schema.ts";
import { toDetail } from "./service-failure.ts";

export const codex: CliProgram = {
  program: "codex",
  hasOwnSandbox: true,
  build,
  read,
  readLeft: readCodexSession,
};

function build(turn: CliTurn): CliCommand {
  const { request, folder, session } = turn;
  const { model, effort, instructions } = request.agent;
  const schemaFile = join(folder, "report-schema.json");
  const service = toService(turn);
  return {
    args: [
      ...["exec", "--json", "-C", request.cwd, "-s", toSandbox(turn)],
      ...["--skip-git-repo-check", "--ignore-user-config", "--ignore-rules"],
      ...["-c", "analytics.enabled=false"],
      // What it starts itself sees no key.
      ...["-c", "shell_environment_policy.ignore_default_excludes=false"],
      ...["-c", `sandbox_workspace_write.network_access=${turn.network}`],
      ...service.args,
      ...["--output-schema", schemaFile],
      ...(model === "" ? [] : ["-m", model]),
      ...(effort === null ? [] : ["-c", `model_reasoning_effort=${JSON.stringify(effort)}`]),
      ...(session === null ? [] : ["resume", session]),
      "-", // the prompt is on stdin
    ],
    input:
      session === null && instructions !== "" ? `${instructions.trimEnd()}\n\n${turn.prompt}` : turn.prompt,
    names: service.names,
    given: { ...agentHomeVariables("codex", turn.home), ...service.given },
    files: [{ path: schemaFile, text: JSON.stringify(strictSchema(request.stage)) }],
  };
}

/** In the sandbox of the run it cannot make its own; that one then holds for what it does, too. */
function toSandbox({ request, isConfined }: CliTurn): string {
  if (isConfined) return "danger-full-access";
  return mayWrite(request) ? "workspace-write" : "read-only";
}

interface Service {
  readonly args: readonly string[];
  readonly names: readonly string[];
  readonly given: Readonly<Record<string, string>>;
}

/** An address of the builder's is a provider of its own: the program knows no variable for it. */
function toService({ auth, environment }: CliTurn): Service {
  if (auth === "login") return { args: [], names: [], given: {} };
  const own = variableOf(environment, "CODEX_API_KEY");
  const url = variableOf(environment, "OPENAI_BASE_URL");
  if (url === null) {
    const key = own ?? variableOf(environment, "OPENAI_API_KEY");
    return { args: [], names: [], given: key === null ? {} : { CODEX_API_KEY: key } };
  }
  const name = ["CODEX_API_KEY", "OPENAI_API_KEY"].find((each) => variableOf(environment, each) !== null);
  const provider = [
    'name="service"',
    `base_url=${JSON.stringify(url)}`,
    ...(name === undefined ? [] : [`env_key=${JSON.stringify(name)}`]),
    'wire_api="responses"',
    "supports_websockets=false",
    "request_max_retries=3",
    "stream_max_retries=3",
  ].join(",");
  return {
    args: ["-c", "model_provider=service", "-c", `model_providers.service={${provider}}`],
    names: name === undefined ? [] : [name],
    given: {},
  };
}

function read(line: JsonObject, { agent, text }: CliContext): CliRead {
  switch (textIn(line, "type")) {
    case "thread.started": {
      const id = textIn(line, "thread_id");
      return { events: id === null ? [] : [{ kind: "session", id, model: null }], text };
    }
    case "item.started":
      return { events: readStarted(objectIn(line, "item")), text };
    case "item.completed":
      return readCompleted(objectIn(line, "item"), text);
    case "error":
      return {
        events: [{ kind: "retry", status: null, detail: toDetail(textIn(line, "message") ?? "") }],
        text,
      };
    case "turn.completed":
      return {
        events: [
          { kind: "usage", usage: toUsage(objectIn(line, "usage")), mode: "total" },
          { kind: "done", ok: true, text, report: undefined },
        ],
        text,
      };
    case "turn.failed": {
      // What kind of failure it was is told in the session alone, which is read afterwards.
      const detail = toDetail(
        textIn(objectIn(line, "error"), "message") ?? `agent "${agent}" gave no reason`,
      );
      return { events: [{ kind: "done", ok: false, text: detail, report: undefined }], text };
    }
    default:
      return { events: [], text };
  }
}

function readStarted(item: JsonObject): readonly AgentEvent[] {
  const id = textIn(item, "id");
  return id === null ? [] : [{ kind: "tool-started", id, name: textIn(item, "type") ?? "tool" }];
}

function readCompleted(item: JsonObject, text: string): CliRead {
  const id = textIn(item, "id");
  switch (textIn(item, "type")) {
    case "agent_message": {
      const said = textIn(item, "text") ?? "";
      return { events: said === "" ? [] : [{ kind: "text", text: said }], text: said === "" ? text : said };
    }
    case "reasoning":
    case "error":
    case null:
      return { events: [], text };
    default: {
      const status = textIn(item, "status");
      const ended: readonly AgentEvent[] =
        id === null ? [] : [{ kind: "tool-ended", id, ok: status !== "failed" && status !== "declined" }];
      const denied: readonly AgentEvent[] =
        status === "declined"
          ? [
              {
                kind: "denied",
                tool: textIn(item, "type") ?? "tool",
                detail: toDetail(textIn(item, "command") ?? ""),
              },
            ]
          : [];
      return { events: [...ended, ...denied], text };
    }
  }
}

function toUsage(usage: JsonObject): Usage {
  const cacheReadTokens = tokensIn(usage, "cached_input_tokens");
  const cacheWriteTokens = tokensIn(usage, "cache_write_input_tokens");
  return {
    inputTokens: Math.max(0, tokensIn(usage, "input_tokens") - cacheReadTokens - cacheWriteTokens),
    outputTokens: tokensIn(usage, "output_tokens"),
    cacheReadTokens,
    cacheWriteTokens,
    costUsd: null,
    costBasis: "unknown",
    model: null,
  };
}
