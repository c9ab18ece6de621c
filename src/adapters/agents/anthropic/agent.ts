// Backend `anthropic`: our own agent loop on the Messages API, in this program. The model only ever acts through our
// tools; its key stays here.

import { realpath } from "node:fs/promises";
import { join } from "node:path";
import type { Failure } from "../../../core/failure.ts";
import type { Policy } from "../../../core/policy.ts";
import { failed, success } from "../../../core/result.ts";
import type { AgentOutcome, AgentRequest } from "../../../ports.ts";
import { codeOf } from "../../process/output.ts";
import type { AgentRun } from "../agent-run.ts";
import type { DropFolder } from "../drop-folder.ts";
import { evidencePaths, keepEvidence } from "../evidence.ts";
import { inDropFolder } from "../in-drop-folder.ts";
import { failedWith, type Judged } from "../outcome.ts";
import { prepare } from "../prepare.ts";
import { findAccess } from "./access.ts";
import { type Bounds, usualBounds } from "./bounds.ts";
import { runLoop } from "./loop.ts";
import { openService } from "./messages-api.ts";
import { openTranscript, type Transcript } from "./transcript.ts";
import type { LoopEnd } from "./turn.ts";
import { createTokenSum, type TokenSum } from "./usage.ts";
import { openWatch, type Watch } from "./watch.ts";

/** Where the policy names none. */
const usualModel = "claude-sonnet-5-5";

/** Where the request says nothing. */
const usualRetry: Policy["retry"] = { maxRetries: 3, backoffBaseMs: 1_000, backoffMaxMs: 32_000 };

export function runAnthropicAgent(run: AgentRun, bounds: Bounds = usualBounds): Promise<Judged> {
  return inDropFolder(run, (folder) => runWith(folder, { run, bounds }));
}

async function runWith(
  folder: DropFolder,
  { run, bounds }: { run: AgentRun; bounds: Bounds },
): Promise<Judged> {
  const { request, options } = run;
  const prepared = await prepare(folder, run);
  if (!prepared.ok) return failedWith(prepared.failure);
  const paths = evidencePaths(options.runFolder, request);
  const transcript = openTranscript(paths.transcript, run);
  if (!transcript.ok) {
    const { failure: code } = transcript;
    return failedWith({ reason: "storage-failed", doing: "writing", path: paths.transcript, code });
  }
  const { timeoutMs, idleTimeoutMs } = request.agent;
  const watch = openWatch({ signal: run.signal, timeoutMs, idleTimeoutMs });
  const tokens = createTokenSum(toModel(request));
  try {
    const outcome = await converse({
      run,
      bounds,
      folder,
      watch,
      tokens,
      prompt: prepared.value,
      transcript: transcript.value,
    });
    transcript.value.record({ event: "end", outcome });
    return { outcome, usage: tokens.toUsage() };
  } finally {
    watch.end();
    transcript.value.end();
  }
}

interface Conversing {
  readonly prompt: string;
  readonly run: AgentRun;
  readonly bounds: Bounds;
  readonly folder: DropFolder;
  readonly transcript: Transcript;
  readonly watch: Watch;
  readonly tokens: TokenSum;
}

async function converse(wanted: Conversing): Promise<AgentOutcome> {
  const { run, bounds, watch, transcript, tokens } = wanted;
  const { request, options } = run;
  const access = findAccess(options.environment, request.agentKey);
  if (!access.ok) return { kind: "failed", failure: access.failure };
  const places = await findPlaces(wanted);
  if (!places.ok) return { kind: "failed", failure: places.failure };
  const service = await openService({
    access: access.value,
    silenceMs: bounds.silenceMs,
    onActivity: watch.touch,
  });
  const report = evidencePaths(options.runFolder, request).report;
  let unkept: Failure | null = null;
  const end = await runLoop({
    request,
    prompt: wanted.prompt,
    model: toModel(request),
    place: { ...places.value, run, signal: watch.signal },
    line: {
      service,
      agent: request.agentKey,
      retry: request.retry ?? usualRetry,
      waitsForLimits: (request.onRateLimit ?? "wait") === "wait",
      bounds,
      watch,
      transcript,
      redact: options.redaction.text,
      onWait: run.onWait,
      onTokens: tokens.add,
    },
    onReport: async (bytes) => {
      const kept = await keepEvidence(report, bytes);
      unkept = kept.ok ? null : kept.failure;
    },
  });
  return unkept === null ? toOutcome(end, { request, watch }) : { kind: "failed", failure: unkept };
}

/** The folders of the tools, links resolved. */
async function findPlaces({ run, folder }: Conversing) {
  const { cwd } = run.request;
  try {
    const root = await realpath(cwd);
    const handedOver = await realpath(join(folder.path, "files")).catch(() => null); // none was handed over
    return success({ root, handedOver });
  } catch (error) {
    return failed<Failure>({ reason: "lane-unusable", path: cwd, detail: codeOf(error) });
  }
}

function toOutcome(end: LoopEnd, { request, watch }: { request: AgentRequest; watch: Watch }): AgentOutcome {
  if (end.kind === "reported") return { kind: "answered", report: end.report };
  if (end.kind === "failed") return { kind: "failed", failure: end.failure };
  const endedBy = watch.endedBy();
  if (endedBy !== "total" && endedBy !== "idle") return { kind: "interrupted" };
  const { agentKey: agent, agent: policy } = request;
  const idle = endedBy === "idle";
  const afterMs = idle ? policy.idleTimeoutMs : policy.timeoutMs;
  return { kind: "failed", failure: { reason: "agent-timed-out", agent, afterMs, idle } };
}

function toModel({ agent }: AgentRequest): string {
  return agent.model === "" ? usualModel : agent.model;
}
