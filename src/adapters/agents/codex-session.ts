// What Codex writes down of a session beside its stream: the kind of an error, limits with their end, the model.
//
// The stream has only a sentence for an error. The session's file is the program's own; commands that it starts
// cannot write there.

import { constants } from "node:fs";
import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { limits } from "../../core/limits.ts";
import type { AgentEvent } from "./agent-event.ts";
import type { CliTurn } from "./cli-program.ts";
import { isObject, momentIn, numberIn, objectIn, textIn } from "./json-field.ts";
import { readJsonLines } from "./json-lines.ts";
import { agentHomeVariables, variableOf } from "./program-variables.ts";
import { toDetail, toServiceFailure } from "./service-failure.ts";

/** Never fails; without the file nothing more is known. */
export async function readCodexSession(at: {
  turn: CliTurn;
  session: string;
  agent: string;
}): Promise<readonly AgentEvent[]> {
  const { turn, session, agent } = at;
  const file = await findSession(join(homeOf(turn), "sessions"), session);
  if (file === null) return [];
  const lines: JsonObject[] = [];
  const reader = readJsonLines(limits.agentLineBytes, (line) => lines.push(line));
  for (const part of await readEnds(file)) reader.take(part);
  reader.end();
  return toSessionEvents(lines, { agent, session, auth: turn.auth });
}

/** Pure; of the lines of a session's file. */
export function toSessionEvents(
  lines: readonly JsonObject[],
  about: { agent: string; session: string; auth: "login" | "key" },
): readonly AgentEvent[] {
  const payloads = lines.map((line) => objectIn(line, "payload"));
  const context = lines.findLast((line) => textIn(line, "type") === "turn_context");
  const model = context === undefined ? null : textIn(objectIn(context, "payload"), "model");
  const limit = payloads.flatMap(toLimit).at(-1);
  const last = payloads.findLast((payload) => textIn(payload, "type") === "task_complete");
  const error = objectIn(last, "error");
  const failure = last === undefined ? null : toError(error, about);
  return [
    { kind: "session", id: about.session, model },
    ...(failure?.kind === "error" && failure.failure.reason === "rate-limited" && limit ? [limit] : []),
    ...(failure === null ? [] : [failure]),
  ];
}

/** Windows that are used up: the run can go on when the last of them is over. */
function toLimit(payload: JsonObject): AgentEvent[] {
  const known = objectIn(payload, "rate_limits");
  const ends = ["primary", "secondary"].flatMap((name) => {
    const window = objectIn(known, name);
    const resetAtMs = momentIn(window, "resets_at");
    return (numberIn(window, "used_percent") ?? 0) >= 100 && resetAtMs !== null ? [resetAtMs] : [];
  });
  return ends.length === 0 ? [] : [{ kind: "limit", resetAtMs: Math.max(...ends), detail: "usage limit" }];
}

function toError(
  error: JsonObject,
  { agent, auth }: { agent: string; auth: "login" | "key" },
): AgentEvent | null {
  const { codex_error_info: info } = error;
  if (info === undefined || info === null) return null;
  const detail = toDetail(textIn(error, "message") ?? "");
  switch (nameOf(info)) {
    case "usage_limit_exceeded":
      // With a key there are no windows of use: what is used up is what was paid for.
      return auth === "key"
        ? { kind: "error", failure: { reason: "credit-empty", agent, detail } }
        : { kind: "error", failure: { reason: "rate-limited", agent, resetAtMs: null, detail } };
    case "unauthorized":
      return { kind: "error", failure: { reason: "not-logged-in", agent, detail } };
    case "context_window_exceeded":
      return {
        kind: "error",
        failure: { reason: "agent-went-nowhere", agent, how: "its context is used up" },
      };
    case "model_not_found":
      return { kind: "error", failure: toServiceFailure({ agent, status: 404, detail }) };
    case "bad_request":
      return { kind: "error", failure: toServiceFailure({ agent, status: 400, detail }) };
    default:
      return { kind: "error", failure: toServiceFailure({ agent, status: statusOf(info), detail }) };
  }
}

function nameOf(info: JsonValue): string {
  if (typeof info === "string") return info;
  return isObject(info) ? (Object.keys(info)[0] ?? "") : "";
}

function statusOf(info: JsonValue): number | null {
  const [inner] = isObject(info) ? Object.values(info) : [];
  return numberIn(inner, "http_status_code");
}

function homeOf({ home, environment }: CliTurn): string {
  const { CODEX_HOME } = agentHomeVariables("codex", home);
  return (
    CODEX_HOME ??
    variableOf(environment, "CODEX_HOME") ??
    join(variableOf(environment, "HOME") ?? "/", ".codex")
  );
}

/** `sessions/<year>/<month>/<day>/rollout-<time>-<id>.jsonl`; looked for in the last days. */
async function findSession(root: string, session: string): Promise<string | null> {
  if (!/^[0-9a-f-]{36}$/.test(session)) return null;
  let folders = [root];
  for (const _ of ["year", "month", "day"]) {
    const inner = await Promise.all(
      folders.map(async (folder) => (await namesIn(folder)).map((name) => join(folder, name))),
    );
    folders = inner.flat().sort().slice(-daysLookedAt);
  }
  for (const folder of folders.reverse()) {
    const name = (await namesIn(folder)).find((each) => each.endsWith(`${session}.jsonl`));
    if (name !== undefined) return join(folder, name);
  }
  return null;
}

const daysLookedAt = 3;

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}

const endBytes = 1024 * 1024;

/** Its beginning and its end: in between are the agent's messages. */
async function readEnds(path: string): Promise<readonly Buffer[]> {
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  let file: FileHandle | null = null;
  try {
    file = await open(path, flags);
    const found = await file.stat();
    if (!found.isFile()) return [];
    const head = await readPart(file, 0, Math.min(found.size, endBytes));
    const from = Math.max(head.length, found.size - endBytes);
    const tail = await readPart(file, from, found.size - from);
    return from > head.length ? [head, Buffer.from("\n"), tail] : [head, tail];
  } catch {
    return [];
  } finally {
    await file?.close().catch(() => {});
  }
}

async function readPart(file: FileHandle, from: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, from);
  return buffer.subarray(0, bytesRead);
}
