// A whole world for the engine without a disk, a clock or a process: what survives a crash is in World, and
// `ports()` gives each "process" its own adapters over it.

import type { Entry, RunEvent } from "../../src/core/event.ts";
import type { Failure } from "../../src/core/failure.ts";
import type { GateResult } from "../../src/core/gate-result.ts";
import type { RunId, Sha, Slug } from "../../src/core/ids.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { Prd, Task } from "../../src/core/prd.ts";
import { type Result, success } from "../../src/core/result.ts";
import type {
  AgentAnswer,
  AgentContact,
  AgentRequest,
  BuilderRequest,
  Ports,
  RunFile,
} from "../../src/ports.ts";
import { makeAgent, makePolicy, makePrd, makeTask } from "../support/run-parts.ts";
import { createFakeRepository } from "./fake-repository.ts";
import { GitModel, hash, type Tree } from "./git-model.ts";

/** Thrown through every port once the simulated process is dead. */
export class Crash extends Error {}

export type AgentScript = (at: {
  request: AgentRequest;
  work: Map<string, string>;
  signal: AbortSignal;
  onWait?: AgentContact["onWait"];
}) => AgentAnswer["outcome"] | Promise<AgentAnswer["outcome"]>;

export type GateScript = (at: { gate: string; commit: Sha; tree: Tree }) => GateResult["outcome"];

export class World {
  readonly git = new GitModel();
  readonly journal: Entry[] = [];
  readonly files = new Map<string, string>();
  readonly requests: BuilderRequest[] = [];
  readonly claimed: BuilderRequest[] = [];
  readonly asked: { stage: string; taskId: string | null; attempt: number }[] = [];
  readonly base: Sha;
  nowMs = Date.UTC(2026, 0, 1, 12);
  agent: AgentScript;
  gate: GateScript = () => "passed";
  /** What a gate that is red prints. */
  complaint: (at: { gate: string; tree: Tree }) => string = ({ gate }) => `${gate} said no`;
  /** Called before each append with its number; throwing Crash kills the process there. */
  beforeAppend: (seq: number, event: RunEvent) => void = () => {};
  afterAppend: (seq: number, event: RunEvent) => void = () => {};
  onRequests: () => void = () => {};

  constructor(agent: AgentScript) {
    this.agent = agent;
    this.base = this.git.commit({
      tree: new Map([["README.md", "base"]]),
      parent: null,
      message: "base",
      atMs: 0,
    });
    this.git.refs.set("refs/heads/main", this.base);
  }

  /** Whether there is room where agents and gates work. */
  room: () => Result<void, Failure> = () => success(undefined);

  ports(session = "session"): Ports {
    let isDead = false;
    const alive = <T>(value: T): T => {
      if (isDead) throw new Crash();
      return value;
    };
    return {
      clock: {
        nowMs: () => this.nowMs,
        elapsedMs: () => this.nowMs,
        // Nothing else happens: the time until then passes at once.
        after: (delayMs, callback) => {
          const timer = setImmediate(() => {
            if (isDead) return;
            this.nowMs += delayMs;
            callback();
          });
          return () => clearImmediate(timer);
        },
      },
      journal: {
        append: async (event, atMs) => {
          try {
            alive(null);
            this.nowMs += 1_000;
            this.beforeAppend(this.journal.length + 1, event);
            const entry: Entry = { seq: this.journal.length + 1, atMs, session, event };
            this.journal.push(entry);
            this.afterAppend(entry.seq, event);
            return success(entry);
          } catch (error) {
            isDead = true;
            throw error;
          }
        },
      },
      files: {
        write: async (name, text) => {
          this.files.set(alive(name), toText(text));
          return success(undefined);
        },
        writeAll: async (files) => {
          for (const { name, text } of files) this.files.set(alive(name), toText(text));
          return success(undefined);
        },
        extendTo: async (name, parts) => {
          this.files.set(alive(name), [...parts].join(""));
          return success({ movedTo: null });
        },
        append: async (name, text) => {
          this.files.set(alive(name), (this.files.get(name) ?? "") + text);
          return success(undefined);
        },
      },
      requests: {
        claim: async () => {
          const claimed = alive(this.requests.splice(0)).map((request, index) => {
            return { ...request, id: request.id ?? `r${this.claimed.length + index + 1}` };
          });
          this.claimed.push(...claimed);
          return claimed;
        },
        claimedBefore: async () => alive([...this.claimed]),
        watch: (callback) => {
          this.onRequests = callback;
          return () => {
            this.onRequests = () => {};
          };
        },
      },
      repository: { ...createFakeRepository(this.git), checkRoom: async () => alive(this.room()) },
      agents: {
        run: async (request, { signal, onWait }) => {
          this.asked.push({ stage: request.stage, taskId: request.taskId, attempt: request.attempt });
          const lane = Number(/lane-(\d+)/.exec(request.cwd)?.[1]);
          const outcome = await this.agent({ request, work: this.git.lane(lane).work, signal, onWait });
          return { outcome: signal.aborted ? { kind: "interrupted" } : outcome, usage: null, durationMs: 1 };
        },
      },
      gates: {
        run: async ({ gate, cwd }) => {
          const lane = Number(/lane-(\d+)/.exec(cwd)?.[1]);
          const commit = this.git.lane(lane).check ?? this.base;
          const at = { gate: gate.name, commit, tree: this.git.treeOf(commit) };
          const outcome = this.gate(at);
          const tail = outcome === "passed" ? "" : this.complaint(at);
          return { kind: "ran", result: toGateResult({ gate: gate.name, outcome, tail }) };
        },
      },
    };
  }

  send(request: BuilderRequest): void {
    this.requests.push(request);
    this.onRequests();
  }
}

function toGateResult(at: Pick<GateResult, "gate" | "outcome" | "tail">): GateResult {
  const { gate, outcome } = at;
  return {
    ...at,
    command: gate,
    exitCode: outcome === "passed" ? 0 : outcome === "failed" ? 1 : null,
    durationMs: 1,
    outputSha256: hash(gate),
    outputBytes: 0,
    detail: "",
    tests: null,
  };
}

export function toTask(id: string, changes: Partial<Task> = {}): Task {
  const words = { title: `Title of ${id}`, description: `Do ${id}`, acceptanceCriteria: [`${id} is done`] };
  return makeTask(id, { ...words, ...changes });
}

export function toPrd(tasks: readonly Task[]): Prd {
  return makePrd(tasks, { name: "demo", branchName: null, goal: "make it" });
}

const agent = makeAgent({ command: ["agent"], timeoutMs: 1_000 });

export function toPolicy(changes: Partial<Policy> = {}): Policy {
  return makePolicy({
    agents: { developer: agent, reviewer: agent, orchestrator: agent, second: agent },
    gates: [{ name: "tests", command: "tests", timeoutMs: 1_000, report: "auto", env: [] }],
    retry: { maxRetries: 3, backoffBaseMs: 1, backoffMaxMs: 2 },
    ...changes,
  });
}

export function runCreated(world: World, prd: Prd): RunEvent {
  return {
    kind: "run-created",
    runId: "20260101T120000Z-abc123" as RunId,
    slug: "demo" as Slug,
    planFile: "dev/work/plans/demo/prd.json",
    prd,
    prdHash: hash(JSON.stringify(prd)),
    checkout: "/checkout",
    worktrees: "/checkout.worktrees/demo",
    branch: "feature/demo",
    base: world.base,
    baseName: "main",
    completedBefore: [],
    told: [],
  };
}

export function sessionStarted(policy: Policy, extraAttempts = 0): RunEvent {
  return {
    kind: "session-started",
    session: "session",
    policy,
    flags: {},
    toolVersion: "0.0.0",
    extraAttempts,
    told: [],
  };
}

function toText(text: RunFile["text"]): string {
  return typeof text === "string" ? text : text.join("");
}
