// Everything around the engine at its worst, by seed: agents that fail, lie, ask and repeat themselves, gates that
// fail, git that fails, and a process that dies. It keeps what it said, as the oracle of what may be complete.

import type { Sha } from "../../src/core/ids.ts";
import { failed } from "../../src/core/result.ts";
import type { AgentOutcome, Ports } from "../../src/ports.ts";
import { hash } from "./git-model.ts";
import { type Fate, toMortal } from "./mortal.ts";
import { answered, approved, developed, honest, iterate, passed } from "./play.ts";
import type { Random } from "./random.ts";
import { type AgentScript, Crash, type World } from "./world.ts";

type Asked = Parameters<AgentScript>[0];

export interface Temper {
  /** 0: everybody is honest, everything works; 1: the usual share of trouble. */
  trouble: number;
  /** Whether git fails every time a tree is made ready for a gate or a reviewer. */
  readonly brokenChecks: boolean;
  /** How likely the process dies at any one call of the outside. */
  deadliness: number;
}

export class Chaos {
  readonly temper: Temper;
  /** Commits that a reviewer approved with a sufficient score and no criterion left. */
  readonly approved = new Set<Sha>();
  /** `<gate> <commit>` of every gate that passed. */
  readonly passed = new Set<string>();
  /** What uses a lane now: two tasks in one lane would spoil each other's evidence. */
  readonly #lanes = new Map<number, string>();
  readonly #random: Random;
  readonly #seed: number;
  readonly #world: World;
  #life = 1;
  #deaths = 0;

  constructor(at: { world: World; random: Random; seed: number; temper: Temper }) {
    this.#world = at.world;
    this.#random = at.random;
    this.#seed = at.seed;
    this.temper = at.temper;
    this.#world.agent = (asked) => this.#answer(asked);
    this.#world.gate = ({ gate, commit, tree }) => {
      const isRed = Number.parseInt(hash(`${this.#seed} ${gate} ${[...tree]}`).slice(0, 4), 16) % 100 < 15;
      if (isRed && this.temper.trouble > 0) return this.#random.chance(0.9) ? "failed" : "timed out";
      this.passed.add(`${gate} ${commit}`);
      return "passed";
    };
  }

  /** How often the process died. */
  get deaths(): number {
    return this.#deaths;
  }

  /** The process dies here: what it had started does nothing any more. */
  die(): never {
    throw new Crash();
  }

  /** Those of one process. */
  ports(): Ports {
    const ports = this.#world.ports();
    return toMortal({
      ports: {
        ...ports,
        clock: { ...ports.clock, elapsedMs: () => 0 }, // big derived files only when they are due for another reason
        agents: {
          run: (request, contact) =>
            this.#inLane(request.cwd, request.taskId, () => ports.agents.run(request, contact)),
        },
        gates: {
          run: (at, signal, onOutput) =>
            this.#inLane(at.cwd, taskOfGate(at.dispatch), async () => {
              await this.#while();
              return signal.aborted ? { kind: "interrupted" } : ports.gates.run(at, signal, onOutput);
            }),
        },
        repository: this.#troubled(ports.repository),
      },
      fate: () => this.#fate(),
      onDeath: () => this.#bury(),
    });
  }

  #fate(): Fate {
    if (!this.#random.chance(this.temper.deadliness)) return "lives";
    return this.#random.chance(0.5) ? "dies before" : "dies after";
  }

  #bury(): void {
    this.#deaths += 1;
    this.#life += 1;
    this.#lanes.clear();
  }

  #troubled(repository: Ports["repository"]): Ports["repository"] {
    const trouble = (probability: number): boolean => this.#random.chance(probability * this.temper.trouble);
    const gitFailed = (doing: string) =>
      failed({ reason: "git-failed", doing, exitCode: 128, detail: "no" } as const);
    return {
      ...repository,
      prepareWork: async (at, signal) => {
        await this.#while();
        if (trouble(0.01)) return gitFailed("making a work tree ready");
        return repository.prepareWork(at, signal);
      },
      prepareCheck: async (at, signal) => {
        await this.#while();
        if (this.temper.brokenChecks && this.temper.trouble > 0 && this.#world.journal.length > 20) {
          return gitFailed("making a check tree ready");
        }
        if (trouble(0.02)) return gitFailed("making a check tree ready");
        if (trouble(0.003)) return failed({ reason: "lane-unusable", path: "lane", detail: "not ours" });
        return repository.prepareCheck(at, signal);
      },
      checkRoom: async () => {
        const code = "ENOSPC";
        if (trouble(0.01))
          return failed({ reason: "storage-failed", doing: "writing in", path: "lanes", code });
        return repository.checkRoom();
      },
      compareBranch: async (at) =>
        trouble(0.02) ? gitFailed("looking at the branch") : repository.compareBranch(at),
      makeCandidate: async (at) => {
        await this.#while();
        if (trouble(0.02)) return failed({ reason: "nested-repository", paths: ["vendor"] });
        if (trouble(0.01)) return gitFailed("making a commit");
        return repository.makeCandidate(at);
      },
      integrate: async (at) => {
        await this.#while();
        if (trouble(0.01)) return gitFailed("moving the branch");
        const moved = await repository.integrate(at);
        return trouble(0.02) ? gitFailed("moving the branch, which it did") : moved;
      },
    };
  }

  /** Waits a random while, in turns of the event queue, so that effects overlap differently by seed. */
  async #while(): Promise<void> {
    for (let turns = this.#random.int(0, 40); turns > 0; turns -= 1) await Promise.resolve();
  }

  async #inLane<Answer>(cwd: string, user: string | null, use: () => Promise<Answer>): Promise<Answer> {
    const life = this.#life;
    const lane = Number(/lane-(\d+)/.exec(cwd)?.[1]);
    const name = user ?? "the run";
    const other = this.#lanes.get(lane);
    if (other !== undefined) throw new Error(`lane ${lane} is used by ${other} and by ${name} at once`);
    this.#lanes.set(lane, name);
    try {
      return await use();
    } finally {
      if (this.#life === life) this.#lanes.delete(lane);
    }
  }

  async #answer(asked: Asked): Promise<AgentOutcome> {
    const life = this.#life;
    await this.#while();
    if (this.#life !== life || asked.signal.aborted) return { kind: "interrupted" };
    const outcome = this.#random.chance(this.temper.trouble) ? this.#trouble(asked) : honestly(asked);
    this.#remember(asked, outcome);
    return outcome;
  }

  #remember({ request }: Asked, outcome: AgentOutcome): void {
    if (outcome.kind !== "answered" || outcome.report.stage !== "review") return;
    const { verdict, score, criteria } = outcome.report;
    if (verdict !== "approved" || score < 80 || criteria.some((line) => line.verdict === "not met")) return;
    this.approved.add(request.request["candidate"] as Sha); // a review's request names its candidate
  }

  #trouble(asked: Asked): AgentOutcome {
    switch (asked.request.stage) {
      case "develop":
        return this.#develop(asked);
      case "review":
        return this.#review(asked);
      case "precheck":
        return this.#fails(asked, 0.1) ?? this.#precheck();
      case "recon":
        return this.#fails(asked, 0.2) ?? this.#recon(asked);
      case "pre-mortem":
        return this.#fails(asked, 0.2) ?? honestly(asked);
      case "holistic-review":
        return this.#fails(asked, 0.1) ?? this.#holistic();
    }
  }

  #develop({ request, work, signal }: Asked): AgentOutcome {
    const own = `${request.taskId}.txt`;
    switch (
      this.#random.weighted({ work: 58, shared: 9, deletes: 4, nothing: 7, again: 6, asks: 5, fails: 11 })
    ) {
      case "shared":
        work.set("shared.txt", `${request.dispatch}`);
        break;
      case "deletes":
        work.delete(this.#random.pick([...work.keys()]));
        break;
      case "nothing":
        return developed("I did it, trust me");
      case "again":
        work.set(own, "the same again");
        return developed();
      case "asks": {
        const question = { text: "which colour?", options: ["red", "green"] };
        return answered({ stage: "develop", summary: "?", reflection: "", signals: [], question });
      }
      case "fails":
        work.set(own, "half done");
        return this.#failure({ request, work, signal });
      case "work":
        break;
    }
    work.set(own, `${request.dispatch} did ${request.taskId}`);
    return developed();
  }

  #review(asked: Asked): AgentOutcome {
    switch (this.#random.weighted({ approves: 70, low: 4, unmet: 4, iterates: 12, fails: 10 })) {
      case "approves":
        return approved(this.#random.int(80, 100));
      case "low":
        return approved(this.#random.int(0, 79));
      case "unmet": {
        const criteria = [{ index: 0, verdict: "not met", where: "nowhere" }] as const;
        const report = {
          stage: "review",
          verdict: "approved",
          score: 100,
          findings: [],
          justified: [],
        } as const;
        return answered({ ...report, criteria });
      }
      case "iterates":
        return iterate(this.#random.int(0, 100), this.#random.pick(["slow", "ugly"]));
      case "fails":
        return this.#failure(asked);
    }
  }

  #precheck(): AgentOutcome {
    const verdict = this.#random.pick(["approved", "needs_refinement"] as const);
    return answered({ stage: "precheck", verdict, issues: verdict === "approved" ? [] : ["vague"] });
  }

  #recon({ request }: Asked): AgentOutcome {
    const tasks = request.taskIds
      .filter(() => this.#random.chance(0.5))
      .map((id) => {
        const verdict = this.#random.weighted({ confirmed: 8, partial: 1, phantom: 1 });
        return { id, verdict, evidence: "I looked" };
      });
    return answered({ stage: "recon", tasks });
  }

  #holistic(): AgentOutcome {
    if (this.#random.chance(0.6)) return passed();
    const followUps = [{ title: "More", description: "more of it", acceptanceCriteria: [] }];
    const some = this.#random.chance(0.8) ? followUps : [];
    const report = { stage: "holistic-review", verdict: "gaps", summary: "gaps", learnings: [] } as const;
    return answered({ ...report, followUps: some });
  }

  /** Mostly soon, now and then not known, or so late that the run pauses. */
  #resetAtMs(): number | null {
    const inMs = this.#random.pick([null, 5_000, 5_000, 3_600_000, 200_000_000]);
    return inMs === null ? null : this.#world.nowMs + inMs;
  }

  #fails(asked: Asked, probability: number): AgentOutcome | null {
    return this.#random.chance(probability) ? this.#failure(asked) : null;
  }

  #failure({ request }: Asked): AgentOutcome {
    const agent = request.agentKey;
    const { stage } = request;
    switch (
      this.#random.weighted({
        exit: 30,
        time: 20,
        missing: 20,
        invalid: 20,
        git: 8,
        start: 2,
        busy: 8,
        limit: 8,
        login: 1,
      })
    ) {
      case "exit":
        return fails({ reason: "agent-exited", agent, exitCode: 1, signal: null, tail: "" });
      case "time":
        return fails({ reason: "agent-timed-out", agent, afterMs: 1_000, idle: false });
      case "missing":
        return fails({ reason: "report-missing", agent, stage });
      case "invalid":
        return fails({ reason: "report-invalid", agent, stage, problems: ["rubbish"] });
      case "git":
        return fails({ reason: "git-failed", doing: "looking", exitCode: 1, detail: "no" });
      case "start":
        return fails({ reason: "agent-cannot-start", agent, command: "agent", detail: "ENOENT" });
      case "busy":
        return fails({ reason: "service-failed", agent, status: 529, detail: "overloaded" });
      case "limit":
        return fails({ reason: "rate-limited", agent, resetAtMs: this.#resetAtMs(), detail: "a limit" });
      case "login":
        return fails({ reason: "not-logged-in", agent, detail: "no key" });
    }
  }
}

function honestly(asked: Asked): AgentOutcome {
  const outcome = honest(asked);
  if (outcome instanceof Promise) throw new Error("the honest agent answers at once");
  return outcome;
}

function fails(failure: Extract<AgentOutcome, { kind: "failed" }>["failure"]): AgentOutcome {
  return { kind: "failed", failure };
}

/** `gate-<task>-<attempt>-<gate>`: the names of gates and tasks of the simulation have no dash. */
function taskOfGate(dispatch: string): string {
  return dispatch.replace(/^gate-/, "").replace(/-\d+-[^-]*$/, "");
}
