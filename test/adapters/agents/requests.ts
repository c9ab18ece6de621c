// Requests to agents and a runner in temporary folders, for the tests of the backends.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { AgentRunnerOptions } from "../../../src/adapters/agents/agent-run.ts";
import { createAgentRunner } from "../../../src/adapters/agents/runner.ts";
import { createRedaction } from "../../../src/adapters/redaction/redaction.ts";
import { dispatchId, type RunId, type TaskId } from "../../../src/core/ids.ts";
import type { AgentPolicy } from "../../../src/core/policy.ts";
import type { AgentAnswer, AgentRequest } from "../../../src/ports.ts";
import { makeFolder, writeProgram } from "../process/programs.ts";

export interface Place {
  readonly root: string;
  readonly lane: string;
  readonly runFolder: string;
  readonly evidence: string;
}

let runs = 0;

export async function makePlace(): Promise<Place> {
  const root = await makeFolder();
  const place = {
    root,
    lane: join(root, "lane"),
    runFolder: join(root, "run"),
    evidence: join(root, "run/attempts/task-1/1"),
  };
  await mkdir(place.lane);
  await mkdir(place.runFolder);
  return place;
}

export const commandPolicy: AgentPolicy = {
  backend: "command",
  command: [],
  script: null,
  timeoutMs: 20_000,
  idleTimeoutMs: 0,
  env: [],
  auth: null,
  fallback: null,
  model: "",
  effort: null,
  tools: null,
  instructions: "",
  maxTurns: 0,
};

export function toRequest(place: Place, change: Partial<AgentRequest> = {}): AgentRequest {
  runs += 1;
  return {
    runId: `test-${process.pid}-${runs}` as RunId, // only its form matters here
    slug: "feature-x",
    dispatch: dispatchId(1),
    stage: "develop",
    role: "developer",
    taskId: "task-1" as TaskId, // passes taskIdProblem
    attempt: 1,
    try: 1,
    agentKey: "developer",
    agent: commandPolicy,
    cwd: place.lane,
    prompt: "Do the task.\n",
    request: { stage: "develop", task: { id: "task-1", acceptanceCriteria: ["one", "two"] } },
    files: [],
    criteriaCount: 2,
    taskIds: ["task-1" as TaskId], // passes taskIdProblem
    evidence: { folder: "attempts/task-1/1", prefix: "" },
    ...change,
  };
}

export interface Asked {
  readonly answer: AgentAnswer;
  readonly lines: readonly string[];
}

export async function ask(
  place: Place,
  request: AgentRequest,
  change: Partial<AgentRunnerOptions> & { signal?: AbortSignal; onOutput?: (line: string) => void } = {},
): Promise<Asked> {
  const lines: string[] = [];
  const { signal = new AbortController().signal, onOutput, ...options } = change;
  const runner = createAgentRunner({
    runFolder: place.runFolder,
    root: place.root,
    outside: [join(place.root, "repository")],
    checkout: join(place.root, "checkout"),
    identity: (dispatch) => ({ GIT_AUTHOR_NAME: `agent ${dispatch}` }),
    environment: { PATH: process.env["PATH"], HOME: process.env["HOME"] },
    redaction: createRedaction({}),
    home: null,
    sandbox: null,
    ...options,
  });
  const answer = await runner.run(request, {
    signal,
    onOutput: (line) => {
      lines.push(line);
      onOutput?.(line);
    },
    onWait: () => {},
  });
  return { answer, lines };
}

/** Asks an agent program of the given source; `report` in it is the path where its report goes. */
export async function askProgram(
  place: Place,
  source: string,
  change: Partial<AgentRequest> = {},
  options: Parameters<typeof ask>[2] = {},
): Promise<Asked> {
  const command = await writeProgram(
    place.root,
    "agent",
    `import * as fs from "node:fs";
     import { execFileSync } from "node:child_process";
     const report = process.env.EXECUTE_PRD_REPORT;
     ${source}`,
  );
  const agent = { ...commandPolicy, ...change.agent, command };
  return ask(place, toRequest(place, { ...change, agent }), options);
}
