// `doctor --agents --live`: one short question to an agent, in an empty folder, as a run would ask it.

import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAgentRunner } from "../adapters/agents/runner.ts";
import { dispatchIdentity } from "../adapters/git/dispatch-identity.ts";
import { describe } from "../core/failure.ts";
import type { DispatchId, RunId } from "../core/ids.ts";
import { agentOf, type Policy } from "../core/policy.ts";
import { assert } from "../core/result.ts";
import type { AgentAnswer, AgentRequest } from "../ports.ts";
import type { CommandCheck } from "./doctor-check.ts";
import { programRedaction } from "./redaction.ts";
import { chooseSandbox, toSandbox } from "./sandbox.ts";

const liveMs = 120_000;

const question = `This is a trial call: change nothing and use no tool. Answer with exactly this JSON and nothing else:

{"verdict":"approved","issues":[]}
`;

/** A program of the builder's own (backend `command`) is not called: only its author knows what it does. */
export async function callAgent(at: {
  key: string;
  policy: Policy;
  checkout: string;
}): Promise<CommandCheck> {
  const { key, policy, checkout } = at;
  const name = `call of ${key}`;
  const agent = agentOf(policy, key);
  assert(agent !== undefined, "a configured agent");
  if (agent.backend === "command" || agent.backend === "scripted")
    return { name, state: "ok", detail: `not called: it is of backend ${agent.backend}`, fix: "" };
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "execute-prd-doctor-")));
  try {
    const answer = await ask({ ...at, agent, folder });
    const took = `${(answer.durationMs / 1_000).toFixed(1)} s`;
    if (answer.outcome.kind === "answered")
      return { name, state: "ok", detail: `answered in ${took}`, fix: "" };
    if (hasSpoken(answer))
      return { name, state: "ok", detail: `answered in ${took}, but not as it was asked to`, fix: "" };
    const detail =
      answer.outcome.kind === "failed" ? describe(answer.outcome.failure) : `no answer in ${took}`;
    const fix = `see what it said, run its program by hand, or correct agents.${key} (checkout: ${checkout})`;
    return { name, state: "problem", detail, fix };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Its service works; how well a model keeps to a form is nothing that a trial call can find out. */
function hasSpoken({ outcome, usage }: AgentAnswer): boolean {
  if (outcome.kind !== "failed" || usage === null || usage.outputTokens === 0) return false;
  return outcome.failure.reason === "report-missing" || outcome.failure.reason === "report-invalid";
}

type Asking = Parameters<typeof callAgent>[0] & Pick<AgentRequest, "agent"> & { readonly folder: string };

async function ask({ key, policy, checkout, agent, folder }: Asking): Promise<AgentAnswer> {
  const runId = `doctor-${process.pid}` as RunId; // it names folders and processes, nothing else
  const place = { slug: "doctor", runId, runFolder: join(folder, "log"), checkout, worktreeRoot: folder };
  const cwd = join(folder, "lane-1", "check");
  mkdirSync(cwd, { recursive: true });
  const sandbox = toSandbox(await chooseSandbox(policy), { ...place, gitCommonDir: join(folder, "none") });
  const runner = createAgentRunner({
    ...place,
    root: checkout,
    outside: [folder],
    identity: (dispatch) => dispatchIdentity(dispatch, runId),
    environment: process.env,
    redaction: programRedaction(),
    home: null,
    homes: join(folder, "home"),
    sandbox,
  });
  const signal = AbortSignal.timeout(liveMs);
  const request = toRequest({ key, agent, runId, cwd });
  return runner.run(request, { signal, onOutput: () => {}, onWait: () => {} });
}

function toRequest(at: Pick<AgentRequest, "agent" | "runId" | "cwd"> & { key: string }): AgentRequest {
  const { key, agent, runId, cwd } = at;
  return {
    runId,
    slug: "doctor",
    dispatch: `live-${key}` as DispatchId, // unique in this process
    stage: "precheck",
    role: "reviewer",
    taskId: null,
    attempt: 1,
    try: 1,
    agentKey: key,
    agent: { ...agent, timeoutMs: Math.min(agent.timeoutMs, liveMs) },
    cwd,
    prompt: question,
    request: { stage: "precheck", role: "reviewer", slug: "doctor", goal: "a trial call" },
    files: [],
    criteriaCount: 0,
    taskIds: [],
    evidence: { folder: key, prefix: "" },
  };
}
