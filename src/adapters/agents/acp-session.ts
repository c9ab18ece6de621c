// The talk with one ACP agent: greet it, open a session in the lane, choose the model, ask, and ask once more when
// the answer lacks the report. What it wants on the way is decided by acp-permission; what went wrong by acp-failure.
//
//   initialize ── session/new ── set model, effort ── session/prompt ──┬── report
//                                                          ^           ├── no report: once more
//                                                          └───────────┘
//   The agent may end, break the wire or say no at any point; nothing here waits longer than its process lives.

import type { Writable } from "node:stream";
import type { ClientContext, RequestError } from "@agentclientprotocol/sdk";
import type { Failure } from "../../core/failure.ts";
import type { Usage } from "../../core/report.ts";
import type { AgentRequest } from "../../ports.ts";
import { failureOfError, failureOfStop } from "./acp-failure.ts";
import { optionToSet, type WantedOption, wantedOptions } from "./acp-options.ts";
import { denialOf, type PermissionRules, readPermissionRequest, toOutcome } from "./acp-permission.ts";
import { type AcpWire, isRecord, openAcpWire } from "./acp-stream.ts";
import { type AcpUpdates, countOf, readAcpUpdates } from "./acp-updates.ts";
import type { AgentEvent } from "./agent-event.ts";
import { reportInText } from "./report-text.ts";

/** What came of it. */
export type AcpEnd =
  | { readonly kind: "said"; readonly report: unknown /* undefined: it holds none */ }
  | { readonly kind: "failed"; readonly failure: Failure }
  /** It ended, or the wire broke, before it answered. */
  | { readonly kind: "closed" };

export interface AcpTalk {
  readonly request: AgentRequest;
  readonly prompt: string;
  readonly rules: PermissionRules;
  /** Writes a file for the agent; why it was not, or null. */
  readonly write: (params: unknown) => Promise<string | null>;
  /** Why a report cannot be used, or null. */
  readonly problemOf: (report: unknown) => Failure | null;
  readonly toSecondPrompt: (problem: Failure) => string;
  readonly onEvent: (event: AgentEvent) => void;
}

export interface AcpSession {
  readonly end: Promise<AcpEnd>;
  /** Bytes of the agent's stdout, as they come. */
  take(chunk: Buffer): void;
  /** Tells the agent to leave its turn; it may or may not. */
  cancel(): void;
  /** The agent is gone: nothing more comes. */
  close(): void;
  /** Why the wire was broken off, or null. */
  problem(): string | null;
  usage(): Usage | null;
}

export function openAcpSession(stdin: Writable, talk: AcpTalk): AcpSession {
  const state: State = { sessionId: "", model: null, tokens: null };
  const updates = readAcpUpdates(() => state.sessionId, talk.onEvent);
  const wire = openAcpWire(stdin, updates.take);
  let cancel = (): void => {};
  const onOpen = (open: () => void): void => {
    cancel = open;
  };
  return {
    end: converse({ wire, talk, state, updates, onOpen }),
    take: wire.take,
    cancel: () => cancel(),
    close: wire.close,
    problem: wire.problem,
    usage: () => toUsage(state, updates),
  };
}

interface State {
  sessionId: string;
  model: string | null;
  tokens: Omit<Usage, "costUsd" | "costBasis" | "model"> | null;
}

interface Talking {
  readonly wire: AcpWire;
  readonly talk: AcpTalk;
  readonly state: State;
  readonly updates: AcpUpdates;
  readonly onOpen: (cancel: () => void) => void;
}

async function converse(talking: Talking): Promise<AcpEnd> {
  const { wire, talk, state } = talking;
  const acp = await import("@agentclientprotocol/sdk");
  const connection = toClient(acp, talking).connect(wire.stream);
  const { agent } = connection;
  talking.onOpen(() => {
    if (state.sessionId === "" || connection.signal.aborted) return;
    agent.notify(acp.methods.agent.session.cancel, { sessionId: state.sessionId }).catch(() => {}); // it is gone
  });
  let isAsked = false;
  try {
    const opened = await open(acp, agent, talking);
    if (opened !== null) return { kind: "failed", failure: opened };
    isAsked = true;
    return await ask(agent, talking);
  } catch (error) {
    if (!(error instanceof acp.RequestError)) return { kind: "closed" };
    return { kind: "failed", failure: failureOfError(talk.request, toError(error), isAsked) };
  } finally {
    connection.close();
  }
}

type Acp = typeof import("@agentclientprotocol/sdk");

const asItCame = (params: unknown): unknown => params;

/** Answers what an agent asks of us. Files are written for it as it might write them itself, and none is read. */
function toClient(acp: Acp, { talk, updates }: Talking) {
  const { client: asked } = acp.methods;
  return acp
    .client({ name: "execute-prd" })
    .onRequest<unknown, unknown>(asked.session.requestPermission, asItCame, ({ params }) => {
      const request = readPermissionRequest(params, updates.kindOf);
      const denial = denialOf(request, talk.rules);
      if (denial !== null)
        talk.onEvent({ kind: "denied", tool: request.title || request.kind, detail: denial });
      return { outcome: toOutcome(request, denial === null) };
    })
    .onRequest<unknown, unknown>(asked.fs.writeTextFile, asItCame, async ({ params }) => {
      const problem = await talk.write(params);
      if (problem === null) return {};
      talk.onEvent({ kind: "denied", tool: asked.fs.writeTextFile, detail: problem });
      throw acp.RequestError.invalidRequest(undefined, problem);
    });
}

/** Why there is no session to work in, or null. */
async function open(acp: Acp, agent: ClientContext, { talk, state }: Talking): Promise<Failure | null> {
  const { request, onEvent } = talk;
  const greeted: unknown = await agent.request("initialize", {
    protocolVersion: acp.PROTOCOL_VERSION,
    clientInfo: { name: "execute-prd", version: "1" },
    clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
  });
  const version = isRecord(greeted) ? greeted["protocolVersion"] : undefined;
  if (version !== acp.PROTOCOL_VERSION) {
    return cannotStart(
      request,
      `it speaks version ${JSON.stringify(version)} of the protocol, not ${acp.PROTOCOL_VERSION}`,
    );
  }
  const session: unknown = await agent.request("session/new", { cwd: request.cwd, mcpServers: [] });
  const id = isRecord(session) ? session["sessionId"] : undefined;
  if (typeof id !== "string" || id === "") return cannotStart(request, "it opened no session");
  state.sessionId = id;
  const offered = isRecord(session) ? session["configOptions"] : undefined;
  for (const wanted of wantedOptions(request.agent)) {
    const problem = await choose(agent, { offered, wanted, sessionId: id });
    if (problem !== null)
      return { reason: "request-refused", agent: request.agentKey, status: null, detail: problem };
    if (wanted.category === "model") state.model = wanted.value;
  }
  onEvent({ kind: "session", id, model: state.model });
  return null;
}

async function choose(
  agent: ClientContext,
  { offered, wanted, sessionId }: { offered: unknown; wanted: WantedOption; sessionId: string },
): Promise<string | null> {
  const found = optionToSet(offered, wanted);
  if (!found.ok) return found.failure;
  if (found.value === null) return null;
  await agent.request("session/set_config_option", { sessionId, configId: found.value, value: wanted.value });
  return null;
}

async function ask(agent: ClientContext, talking: Talking): Promise<AcpEnd> {
  const { talk } = talking;
  const first = await prompt(agent, talking, talk.prompt);
  if (first.kind === "failed") return first;
  const problem = talk.problemOf(first.report);
  if (problem === null) return first;
  const second = await prompt(agent, talking, talk.toSecondPrompt(problem));
  // An answer that cannot be used says more than none.
  return second.kind === "said" && second.report === undefined ? first : second;
}

async function prompt(
  agent: ClientContext,
  { talk, state, updates }: Talking,
  text: string,
): Promise<Exclude<AcpEnd, { kind: "closed" }>> {
  const answer: unknown = await agent.request("session/prompt", {
    sessionId: state.sessionId,
    prompt: [{ type: "text", text }],
  });
  const said = updates.endTurn();
  const stop = isRecord(answer) ? answer["stopReason"] : undefined;
  addTokens(state, isRecord(answer) ? answer["usage"] : undefined);
  const report = reportInText(said);
  const failure = failureOfStop(talk.request.agentKey, { stop, said, hasReport: report !== undefined });
  talk.onEvent({ kind: "done", ok: failure === null, text: said, report });
  return failure === null ? { kind: "said", report } : { kind: "failed", failure };
}

/** Of each turn: an agent that counts the session instead says too much, never too little. */
function addTokens(state: State, usage: unknown): void {
  if (!isRecord(usage)) return;
  const before = state.tokens;
  state.tokens = {
    inputTokens: (before?.inputTokens ?? 0) + (countOf(usage["inputTokens"]) ?? 0),
    outputTokens: (before?.outputTokens ?? 0) + (countOf(usage["outputTokens"]) ?? 0),
    cacheReadTokens: (before?.cacheReadTokens ?? 0) + (countOf(usage["cachedReadTokens"]) ?? 0),
    cacheWriteTokens: (before?.cacheWriteTokens ?? 0) + (countOf(usage["cachedWriteTokens"]) ?? 0),
  };
}

/** Beside a cost without tokens, the context that was filled: so many were read at least. */
function toUsage({ tokens, model }: State, updates: AcpUpdates): Usage | null {
  const costUsd = updates.costUsd();
  if (tokens === null && costUsd === null) return null;
  const counted = tokens ?? {
    inputTokens: updates.contextTokens() ?? 0,
    outputTokens: 0,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
  };
  return { ...counted, costUsd, costBasis: costUsd === null ? "unknown" : "reported", model };
}

function toError({ code, message, data }: RequestError) {
  return { code, message, data };
}

function cannotStart({ agentKey, agent }: AgentRequest, detail: string): Failure {
  return { reason: "agent-cannot-start", agent: agentKey, command: agent.command.join(" "), detail };
}
