// One run by seed, played twice: once undisturbed, once with a process that dies at any call and a builder who
// pauses and says everything twice. Everybody answers by what is asked and shown, never by how often, so both have to
// come to the same end (promise 3).

import { isDeepStrictEqual } from "node:util";
import type { Sha } from "../../src/core/ids.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { Prd } from "../../src/core/prd.ts";
import type { RunState, TaskRecord } from "../../src/core/state.ts";
import { createEngine } from "../../src/engine/engine.ts";
import type { AgentOutcome } from "../../src/ports.ts";
import { EchoInbox } from "./echo.ts";
import { type Fate, toMortal } from "./mortal.ts";
import { answered, approved, developed, honest, iterate, passed } from "./play.ts";
import { Random } from "./random.ts";
import { randomPolicy, randomPrd } from "./random-plan.ts";
import { RunWatch } from "./run-watch.ts";
import { type AgentScript, Crash, runCreated, sessionStarted, World } from "./world.ts";

const maxSessions = 80;
const maxDeaths = 12;
const maxPauses = 4;

export interface SteadyRun {
  readonly events: number;
  readonly deaths: number;
  /** The kinds of phases at which its sessions stopped; "died" where they did not. */
  readonly stops: readonly string[];
}

/** Throws what does not hold, or where the two ends differ. */
export async function playSteadyRun(seed: number, concurrency: number): Promise<SteadyRun> {
  const calm = await new Steady(seed, concurrency, null).play();
  const random = new Random(seed ^ 0x5eed);
  const stormy = await new Steady(seed, concurrency, random).play();
  for (const key of Object.keys(calm.end) as (keyof End)[]) {
    if (isDeepStrictEqual(calm.end[key], stormy.end[key])) continue;
    const words = `${JSON.stringify(calm.end[key])} became ${JSON.stringify(stormy.end[key])}`;
    throw new Error(`promise 3 does not hold: after ${stormy.deaths} deaths ${key} differ: ${words}`);
  }
  const stops = [...calm.stops, ...stormy.stops];
  return { events: calm.events + stormy.events, deaths: stormy.deaths, stops };
}

/** What of a run must not depend on deaths and pauses. */
interface End {
  readonly phase: string;
  readonly tasks: readonly string[];
  readonly commits: readonly string[];
  readonly files: readonly (readonly [string, string])[];
}

/** What a task goes through before it is good. */
interface Story {
  /** Who sends back version 1, version 2 … of its file. */
  readonly sentBackBy: readonly ("tests" | "reviewer")[];
  readonly asks: boolean;
  readonly recon: "confirmed" | "partial";
  readonly precheck: "approved" | "needs_refinement";
}

class Steady {
  readonly #seed: number;
  /** null: nothing disturbs. */
  readonly #storm: Random | null;
  readonly #deadliness: number;
  readonly #world: World;
  readonly #watch: RunWatch;
  readonly #prd: Prd;
  readonly #policy: Policy;
  readonly #hasGaps: boolean;
  readonly #said = { approved: new Set<Sha>(), passed: new Set<string>() };
  #deaths = 0;
  #pauses = 0;

  constructor(seed: number, concurrency: number, storm: Random | null) {
    this.#seed = seed;
    this.#storm = storm;
    this.#deadliness = storm?.pick([0.004, 0.02, 0.08]) ?? 0;
    const random = new Random(seed);
    const prd = randomPrd(random);
    this.#prd = { ...prd, tasks: prd.tasks.map((task) => ({ ...task, gates: null, agent: null })) };
    const policy = randomPolicy(random, concurrency);
    const gates = policy.gates.length > 0 ? policy.gates : [testsGate];
    const review = { enabled: true, passScore: 80 };
    this.#policy = { ...policy, gates, review, maxAttempts: 4, only: null, onTaskFailure: "continue" };
    this.#hasGaps = random.chance(0.3);
    this.#world = new World((asked) => this.#answer(asked));
    this.#watch = new RunWatch(this.#world, this.#said);
    this.#world.gate = ({ gate, commit, tree }) => {
      if (gate === "tests" && this.#wrong(tree) !== null) return "failed";
      this.#said.passed.add(`${gate} ${commit}`);
      return "passed";
    };
    this.#world.complaint = ({ tree }) => this.#wrong(tree) ?? "";
  }

  async play(): Promise<SteadyRun & { readonly end: End }> {
    const stops: string[] = [];
    for (let session = 1; session <= maxSessions; session += 1) {
      const deaths = this.#deaths;
      const state = await this.#playSession();
      const kind = state?.phase.kind;
      stops.push(this.#deaths > deaths || kind === undefined ? "died" : kind);
      if (state === null || kind === "running" || kind === "queued" || kind === "paused") continue;
      if (kind === "blocked") {
        this.#answerAll(state);
        continue;
      }
      this.#watch.end(state);
      const events = this.#world.journal.length;
      return { end: this.#toEnd(state), events, deaths: this.#deaths, stops };
    }
    throw new Error(`I11 does not hold: the run has not ended after ${maxSessions} sessions`);
  }

  async #playSession(): Promise<RunState | null> {
    const world = this.#world;
    const state = this.#watch.catchUp();
    world.afterAppend = () => this.#disturb();
    const ports = world.ports();
    const engine = createEngine({
      ...(this.#storm !== null && { inbox: new EchoInbox(this.#storm) }),
      ports: toMortal({
        // Big derived files only when they are due for another reason.
        ports: { ...ports, clock: { ...ports.clock, elapsedMs: () => 0 } },
        fate: () => this.#fate(),
        onDeath: () => {
          this.#deaths += 1;
        },
      }),
      state,
      opening: [...(state === null ? [runCreated(world, this.#prd)] : []), sessionStarted(this.#policy)],
      onEntry: (entry, next) => this.#watch.see(entry, next),
      onOutput: () => {},
    });
    try {
      await engine.run();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
    world.afterAppend = () => {};
    return this.#watch.catchUp();
  }

  #fate(): Fate {
    if (this.#storm === null || this.#deaths >= maxDeaths) return "lives";
    if (!this.#storm.chance(this.#deadliness)) return "lives";
    return this.#storm.pick(["dies before", "dies after"]);
  }

  #disturb(): void {
    if (this.#storm === null || this.#pauses >= maxPauses || !this.#storm.chance(0.01)) return;
    this.#pauses += 1;
    this.#world.send({ kind: "pause", now: this.#storm.chance(0.5), by: "the builder" });
  }

  /** Only where the run waits for it, so that the order of work is the same. */
  #answerAll(state: RunState): void {
    for (const { id, options } of state.questions) {
      const text = options[0]?.id ?? "go on";
      const answer = { kind: "answer", question: id, text, by: "the builder" } as const;
      this.#world.requests.push(answer);
      if (this.#storm !== null) this.#world.requests.push(answer);
    }
  }

  #storyOf(id: string): Story {
    const random = new Random([...id].reduce((sum, char) => sum * 31 + char.charCodeAt(0), this.#seed));
    const times = random.weighted({ none: 5, once: 3, twice: 1 });
    const count = { none: 0, once: 1, twice: 2 }[times];
    return {
      sentBackBy: Array.from({ length: count }, () => random.pick(["tests", "reviewer"])),
      asks: random.chance(0.1),
      recon: random.chance(0.05) ? "partial" : "confirmed",
      precheck: random.chance(0.2) ? "needs_refinement" : "approved",
    };
  }

  /** What the tests say against a tree; null: nothing. */
  #wrong(tree: ReadonlyMap<string, string>): string | null {
    for (const [path, text] of tree) {
      const id = path.replace(/\.txt$/, "");
      const version = versionIn(text);
      if (version > 0 && this.#storyOf(id).sentBackBy[version - 1] === "tests") {
        return `${id} wants version ${version + 1}`;
      }
    }
    return null;
  }

  async #answer(asked: Parameters<AgentScript>[0]): Promise<AgentOutcome> {
    for (let turns = this.#storm?.int(0, 20) ?? 0; turns > 0; turns -= 1) await Promise.resolve();
    if (asked.signal.aborted) return { kind: "interrupted" };
    const { request } = asked;
    switch (request.stage) {
      case "develop":
        return this.#develop(asked);
      case "review":
        return this.#review(request.taskId ?? "", request.request["candidate"] as Sha); // a review's request names it
      case "precheck": {
        const verdict = this.#storyOf(request.taskId ?? "").precheck;
        return answered({ stage: "precheck", verdict, issues: verdict === "approved" ? [] : ["vague"] });
      }
      case "recon": {
        const tasks = request.taskIds.map((id) => ({
          id,
          verdict: this.#storyOf(id).recon,
          evidence: "seen",
        }));
        return answered({ stage: "recon", tasks });
      }
      case "holistic-review":
        return this.#hasGaps && !request.taskIds.some((id) => id.startsWith("follow-up")) ? gaps : passed();
      case "pre-mortem":
        return honest(asked);
    }
  }

  #develop({ request, work }: Parameters<AgentScript>[0]): AgentOutcome {
    const id = request.taskId ?? "";
    const told = JSON.stringify(request.request["feedback"] ?? "");
    if (this.#storyOf(id).asks && !told.includes("The builder says: red")) {
      const question = { text: "which colour?", options: ["red", "green"] };
      return answered({ stage: "develop", summary: "?", reflection: "", signals: [], question });
    }
    const wanted = [...told.matchAll(/(\S+) wants version (\d+)/g)].filter(([, of]) => of?.endsWith(id));
    work.set(`${id}.txt`, `version ${Math.max(1, ...wanted.map(([, , version]) => Number(version)))}`);
    return developed();
  }

  #review(id: string, candidate: Sha): AgentOutcome {
    const version = versionIn(this.#world.git.treeOf(candidate).get(`${id}.txt`) ?? "");
    if (this.#storyOf(id).sentBackBy[version - 1] === "reviewer") {
      return iterate(40 + version, `${id} wants version ${version + 1}`);
    }
    this.#said.approved.add(candidate);
    return approved();
  }

  #toEnd(state: RunState): End {
    const { git, base } = this.#world;
    const commits: string[] = [];
    for (let at = git.commits.get(state.head); at !== undefined && at.sha !== base; ) {
      commits.unshift(at.message.replace(/PRD-Attempt: \d+/, "PRD-Attempt: n"));
      at = at.parent === null ? undefined : git.commits.get(at.parent);
    }
    return {
      phase: state.phase.kind,
      tasks: [...state.tasks].map(toWords),
      // Tasks that are worked on at the same time end in any order.
      commits: this.#policy.concurrency === 1 ? commits : commits.toSorted(),
      files: [...git.treeOf(state.head)].filter(([path]) => !path.startsWith("memory/")).toSorted(),
    };
  }
}

const testsGate = { name: "tests", command: "tests", timeoutMs: 1_000, report: "auto", env: [] } as const;

const gaps = answered({
  stage: "holistic-review",
  verdict: "gaps",
  summary: "more",
  followUps: [{ title: "More", description: "add more", acceptanceCriteria: ["more"] }],
  learnings: [],
});

function versionIn(text: string): number {
  return Number(/^version (\d+)$/.exec(text)?.[1] ?? "0");
}

/** The task's end, and how each attempt that was not interrupted ended. */
function toWords({ task, phase, attempts }: TaskRecord): string {
  const ends = attempts.flatMap(({ outcome }) => {
    if (outcome === null || outcome.kind === "interrupted") return [];
    return "failure" in outcome ? [`${outcome.kind} ${outcome.failure.reason}`] : [outcome.kind];
  });
  return `${task.id} ${phase.kind}: ${ends.join(", ")}`;
}
