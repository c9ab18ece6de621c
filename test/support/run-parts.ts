// Parts of which tests make runs: tasks, plans, policies and what agents and gates bring, each with defaults that
// a test overrides where it cares.

import type { Candidate } from "../../src/core/event.ts";
import type { GateResult, TestCounts } from "../../src/core/gate-result.ts";
import type { Sha, TaskId } from "../../src/core/ids.ts";
import type { AgentPolicy, GatePolicy, Policy } from "../../src/core/policy.ts";
import type { Prd, Task } from "../../src/core/prd.ts";
import type { DevelopReport, ReviewReport } from "../../src/core/report.ts";

/** 40 hex digits that are the same for the same name. */
export function shaOf(name: string): Sha {
  return hexOf(name, 40) as Sha; // 40 hex digits are a sha
}

export function hexOf(name: string, digits: number): string {
  let hex = "";
  for (let round = 0; hex.length < digits; round += 1) {
    let hash = 2_166_136_261 ^ round;
    for (const character of `${name}#${round}`) {
      hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16_777_619);
    }
    hex += (hash >>> 0).toString(16).padStart(8, "0");
  }
  return hex.slice(0, digits);
}

export function taskId(id: string): TaskId {
  return id as TaskId; // tests name valid ids
}

export function makeTask(id: string, over: Partial<Task> = {}): Task {
  return {
    id: taskId(id),
    title: `Do ${id}`,
    description: `What ${id} is about.`,
    acceptanceCriteria: [`${id} works`],
    dependsOn: [],
    filesToRead: [],
    filesTouched: [],
    warnings: [],
    mitigations: [],
    priority: null,
    type: "auto",
    checkpoint: null,
    agent: null,
    gates: null,
    allowNoChanges: false,
    allowDeletions: false,
    claim: { status: "pending", passes: false, attemptCount: 0, notes: null, commitSha: null },
    extra: {},
    ...over,
  };
}

export function makePrd(tasks: readonly Task[], over: Partial<Prd> = {}): Prd {
  return {
    name: "feature-x",
    branchName: "feature/feature-x",
    goal: "Build feature X.",
    tasks,
    globalConstraints: [],
    requiredReading: [],
    createdAt: null,
    extra: {},
    metadataExtra: {},
    ...over,
  };
}

export function makeAgent(over: Partial<AgentPolicy> = {}): AgentPolicy {
  return {
    backend: "command",
    command: ["node", "agent.mjs"],
    script: null,
    timeoutMs: 3_600_000,
    idleTimeoutMs: 0,
    env: [],
    auth: null,
    fallback: null,
    model: "",
    effort: null,
    tools: null,
    instructions: "",
    maxTurns: 0,
    ...over,
  };
}

function makeGatePolicy(name: string, over: Partial<GatePolicy> = {}): GatePolicy {
  return { name, command: `npm run ${name}`, timeoutMs: 1_200_000, report: "auto", env: [], ...over };
}

export function makePolicy(over: Partial<Policy> = {}): Policy {
  return {
    agents: { developer: makeAgent(), reviewer: makeAgent(), orchestrator: makeAgent() },
    setup: "",
    gates: [makeGatePolicy("typecheck"), makeGatePolicy("tests")],
    concurrency: 1,
    maxAttempts: 3,
    review: { enabled: true, passScore: 80 },
    retry: { maxRetries: 3, backoffBaseMs: 1_000, backoffMaxMs: 32_000 },
    budget: { usd: 25, perTaskUsd: 5, wallClockMs: 28_800_000, maxDispatches: 0 },
    prices: {},
    meteringProxy: false,
    sandbox: "auto",
    network: true,
    onRateLimit: "wait",
    onInterrupted: "continue",
    precheck: "off",
    recon: "off",
    preMortem: "off",
    onTaskFailure: "continue",
    onError: "",
    protectedPaths: [],
    maxDeletedFiles: 10,
    worktreeRoot: "",
    memory: { enabled: true, dir: "memory" },
    yes: false,
    only: null,
    ...over,
  };
}

export function makeGate(gate: string, over: Partial<GateResult> = {}): GateResult {
  return {
    gate,
    command: `npm run ${gate}`,
    outcome: "passed",
    exitCode: 0,
    durationMs: 1_500,
    outputSha256: hexOf(`output of ${gate}`, 64),
    outputBytes: 120,
    tail: "",
    detail: "",
    tests: null,
    ...over,
  };
}

/** What a gate reports that names its failing tests (or has none). */
export function makeTests(passed: number, failures: number | readonly string[] = []): TestCounts {
  const names = typeof failures === "number" ? [] : failures;
  const failed = typeof failures === "number" ? failures : failures.length;
  return { passed, failed, skipped: 0, failures: names, isNamed: failed === names.length };
}

export function makeCandidate(name: string, over: Partial<Candidate> = {}): Candidate {
  return {
    commit: shaOf(`${name} commit`),
    tree: shaOf(`${name} tree`),
    base: shaOf("base"),
    changes: [{ path: "src/a.ts", change: "modified" }],
    changeCount: 1,
    deletions: 0,
    diffSha256: hexOf(`${name} diff`, 64),
    patchId: shaOf(`${name} patch`),
    findings: [],
    baseVersions: [],
    ...over,
  };
}

export function makeWork(over: Partial<DevelopReport> = {}): DevelopReport {
  return { stage: "develop", summary: "Did it.", reflection: "", signals: [], question: null, ...over };
}

export function makeReview(over: Partial<ReviewReport> = {}): ReviewReport {
  return {
    stage: "review",
    verdict: "approved",
    score: 92,
    criteria: [{ index: 0, verdict: "met", where: "src/a.ts" }],
    findings: [],
    justified: [],
    ...over,
  };
}
