// Watches a run event by event and holds it to the invariants, with its own books and the world's word instead of
// what the rules under test say about themselves.

import { isDeepStrictEqual } from "node:util";
import { attemptsLeft } from "../../src/core/attempts.ts";
import {
  type CandidateMade,
  type Entry,
  type Intent,
  isIntent,
  type RunEvent,
} from "../../src/core/event.ts";
import { fold, foldAll } from "../../src/core/fold.ts";
import type { Sha, TaskId } from "../../src/core/ids.ts";
import { limits } from "../../src/core/limits.ts";
import { policyOf, type RunState, runningKey, type TaskRecord, taskOf } from "../../src/core/state.ts";
import { waitOf } from "../../src/core/waits.ts";
import type { World } from "./world.ts";

type Ended = Extract<RunEvent, { kind: "attempt-ended" }>;

/** What gates and reviewers really said. */
export interface Said {
  /** Commits that a reviewer approved with a sufficient score and no criterion left. */
  readonly approved: ReadonlySet<Sha>;
  /** `<gate> <commit>` of every gate that passed. */
  readonly passed: ReadonlySet<string>;
}

interface Books {
  outcome: string | null;
  /** Patch ids by commit, of every candidate of the attempt. */
  readonly patches: Map<Sha, string>;
  candidate: Sha | null;
  judgedGreen: Sha | null;
}

export class RunWatch {
  readonly #world: World;
  readonly #said: Said;
  readonly #attempts = new Map<string, Books>();
  readonly #running = new Set<string>();
  /** What each complete task was completed with. */
  readonly #complete = new Map<TaskId, Sha>();
  #before: RunState | null = null;

  constructor(world: World, said: Said) {
    this.#world = world;
    this.#said = said;
  }

  /**
   * Looks at entries that no live engine showed (the last one of a dead process, requests recorded at rest) and
   * gives the state after them.
   */
  catchUp(): RunState | null {
    for (const entry of this.#world.journal.slice(this.#before?.seq ?? 0)) {
      this.see(entry, fold(this.#before, entry));
    }
    return this.#before;
  }

  /** Throws with the number of the invariant that does not hold after this entry. */
  see({ atMs, event }: Entry, state: RunState): void {
    if (event.kind === "dispatch-started" && this.#before !== null) {
      hold(
        waitOf(this.#before, event.agent, atMs) === null,
        "I11",
        `${event.agent} is not asked while it waits`,
      );
    }
    if (isIntent(event)) this.#begin(event, state);
    else this.#record(event, state);
    hold(sameSet(this.#running, state.running.keys()), "I2", "what is under way is intents without outcomes");
    this.#countWorking(state);
    const stop = event.kind === "run-blocked" ? event.failure.reason : null;
    hold(stop !== "branch-moved", "I1", "the run never finds its branch where it did not leave it");
    if ("taskId" in event && event.taskId !== null) holdTroubleBounded(taskOf(state, event.taskId));
    this.#holdCompleteStays(state);
    this.#before = state;
  }

  /** What must hold when the run has ended. */
  end(state: RunState): void {
    hold(
      isDeepStrictEqual(foldAll(this.#world.journal), state),
      "I1",
      "the state is the fold of the journal",
    );
    this.#holdCommitsOnce(state);
    const { phase } = state;
    hold(phase.kind === "completed" || phase.kind === "failed", "I11", "the run ends");
    if (phase.kind === "failed") return;
    hold(this.#running.size === 0, "I2", "nothing is under way at the end");
    for (const [name, { outcome }] of this.#attempts) hold(outcome !== null, "I6", `${name} has an ending`);
    for (const { task, phase: at } of state.tasks) {
      hold(at.kind === "complete" || at.kind === "skipped", "I10", `${task.id} is complete or skipped`);
    }
  }

  /** A task ends once: what is complete stays complete, with the commit that it has. */
  #holdCompleteStays({ tasks }: RunState): void {
    for (const { task, phase } of tasks) {
      const commit = this.#complete.get(task.id);
      if (phase.kind === "complete") this.#complete.set(task.id, phase.commit);
      if (commit === undefined) continue;
      hold(phase.kind === "complete" && phase.commit === commit, "promise 3", `${task.id} ends once`);
    }
  }

  /** The branch holds exactly one commit of each complete task; a cancelled run may have one that is not yet called so. */
  #holdCommitsOnce(state: RunState): void {
    const found: string[] = [];
    for (let at = this.#world.git.commits.get(state.head); at !== undefined && at.sha !== state.base; ) {
      found.push(/^PRD-Task: (.*)$/m.exec(at.message)?.[1] ?? "");
      at = at.parent === null ? undefined : this.#world.git.commits.get(at.parent);
    }
    const ofTasks = found.filter((id) => id !== "").toSorted();
    const wanted = [...this.#complete.keys()].toSorted();
    const isOnce = new Set(ofTasks).size === ofTasks.length && wanted.every((id) => ofTasks.includes(id));
    const isAll = state.phase.kind === "failed" || ofTasks.length === wanted.length;
    hold(isOnce && isAll, "promise 3", `one commit a task: ${ofTasks} for ${wanted}`);
  }

  #begin(intent: Intent, state: RunState): void {
    const key = runningKey(intent);
    hold(!this.#running.has(key), "I2", `one effect at a time for "${key}"`);
    this.#running.add(key);
    if (intent.kind !== "dispatch-started" || intent.taskId === null) return;
    const record = taskOf(state, intent.taskId);
    const before = this.#before === null ? undefined : taskOf(this.#before, intent.taskId);
    if (record === undefined || before === undefined)
      throw new Error("a dispatch is about a task of the run");
    if (before.phase.kind === "pending" && before.attempts.length === 0) holdDependencies(state, record);
    if (intent.stage !== "develop") return;
    const policy = policyOf(state);
    hold(attemptsLeft(policy, before) > 0, "I12", `${intent.taskId} has an attempt left`);
    const name = `${intent.taskId}/${intent.attempt}`;
    hold(!this.#attempts.has(name), "I6", `attempt ${name} starts once`);
    this.#attempts.set(name, { outcome: null, patches: new Map(), candidate: null, judgedGreen: null });
  }

  #record(event: Exclude<RunEvent, Intent>, state: RunState): void {
    switch (event.kind) {
      case "dispatch-ended":
        this.#finish(`dispatch ${event.dispatch}`);
        break;
      case "gate-ended":
        this.#finish(`gate ${event.taskId ?? ""}`);
        break;
      case "integration-ended":
        this.#finish(`integration ${event.taskId}`);
        break;
      case "memory-ended":
        this.#finish("memory");
        break;
      case "candidate-made":
        this.#finish(`candidate ${event.taskId}`);
        this.#keepCandidate(event);
        break;
      case "gates-judged":
        this.#booksOf(event).judgedGreen = event.red.length === 0 ? event.commit : null;
        break;
      case "attempt-ended":
        this.#endAttempt(event, state);
        break;
    }
  }

  #keepCandidate(event: CandidateMade): void {
    if (event.result.kind === "refused") return;
    const { commit, patchId } = event.result.candidate;
    const books = this.#booksOf(event);
    books.patches.set(commit, patchId);
    books.candidate = commit;
    books.judgedGreen = null;
  }

  #finish(key: string): void {
    hold(this.#running.delete(key), "I2", `an outcome of "${key}" follows its intent`);
  }

  #endAttempt(event: Ended, state: RunState): void {
    const name = `${event.taskId}/${event.attempt}`;
    const books = this.#booksOf(event);
    hold(books.outcome === null, "I6", `attempt ${name} ends once`);
    books.outcome = event.outcome.kind;
    if (event.outcome.kind !== "accepted") return;
    const { commit } = event.outcome;
    hold(books.candidate === commit, "I10", `${name} is accepted with its last candidate`);
    hold(books.judgedGreen === commit, "I10", `the gates of ${name} were judged green on that commit`);
    for (const gate of this.#wantedGates(state, event.taskId)) {
      hold(this.#said.passed.has(`${gate} ${commit}`), "I10", `gate ${gate} passed on the commit of ${name}`);
    }
    const isApproved = [...books.patches].some(
      ([reviewed, patch]) => this.#said.approved.has(reviewed) && patch === books.patches.get(commit),
    );
    hold(isApproved || !policyOf(state).review.enabled, "I10", `the reviewer approved the change of ${name}`);
    const head = this.#world.git.refs.get(`refs/heads/${state.branch}`);
    hold(head !== undefined && this.#world.git.isAncestor(commit, head), "I10", `${name} is on the branch`);
    const phase = taskOf(state, event.taskId)?.phase;
    hold(phase?.kind === "complete" && phase.commit === commit, "I10", `${event.taskId} is complete`);
  }

  #wantedGates(state: RunState, id: TaskId): readonly string[] {
    const wanted = taskOf(state, id)?.task.gates ?? null;
    const { accepted, dropped } = state.baseline;
    return policyOf(state)
      .gates.map(({ name }) => name)
      .filter((name) => wanted === null || wanted.includes(name))
      .filter((name) => !accepted.includes(name) && !dropped.includes(name));
  }

  #countWorking(state: RunState): void {
    const lanes = new Map<number, TaskId>();
    const busy = new Set<TaskId>();
    for (const { task, phase } of state.tasks) {
      if (phase.kind !== "working") continue;
      hold(!lanes.has(phase.lane), "lanes", `lane ${phase.lane} has one task`);
      lanes.set(phase.lane, task.id);
      busy.add(task.id);
    }
    for (const { intent } of state.running.values()) {
      if (intent.kind === "memory-started" || intent.taskId === null) continue;
      busy.add(intent.taskId);
      if (intent.kind === "integration-started") continue; // needs no lane
      const user = lanes.get(intent.lane) ?? intent.taskId;
      hold(
        user === intent.taskId,
        "lanes",
        `lane ${intent.lane} is not used by ${user} and ${intent.taskId}`,
      );
      lanes.set(intent.lane, intent.taskId);
    }
    const { concurrency } = state.policy ?? { concurrency: 0 };
    hold(busy.size <= concurrency, "I11", `${[...busy].join(", ")} work at once, allowed are ${concurrency}`);
  }

  #booksOf(at: { taskId: TaskId; attempt: number }): Books {
    const books = this.#attempts.get(`${at.taskId}/${at.attempt}`);
    if (books === undefined) throw new Error(`I6: attempt ${at.taskId}/${at.attempt} was started`);
    return books;
  }
}

function holdDependencies(state: RunState, record: TaskRecord): void {
  for (const id of record.task.dependsOn) {
    const kind = taskOf(state, id)?.phase.kind;
    hold(kind === "complete" || kind === "skipped", "order", `${record.task.id} starts after ${id}`);
  }
}

function holdTroubleBounded(record: TaskRecord | undefined): void {
  const { infrastructure } = record ?? { infrastructure: null };
  if (infrastructure === null) return;
  const { times, stage } = infrastructure;
  hold(
    times <= limits.infrastructureFailuresInARow,
    "I11",
    `${stage} fails ${times} times without a question`,
  );
}

function sameSet(one: ReadonlySet<string>, other: Iterable<string>): boolean {
  const names = [...other];
  return names.length === one.size && names.every((name) => one.has(name));
}

function hold(condition: boolean, invariant: string, what: string): void {
  if (!condition) throw new Error(`${invariant} does not hold: ${what}`);
}
