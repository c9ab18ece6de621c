// The one loop: ask the plan, append, fold, start the effect, write the derived files, await one message.
//
//        plan(state, now) ── intent or decision ──> journal ──> fold ──> state ──> derived files
//              ^                                       ^                   │
//              │                                    outcome            perform (effects run beside the loop)
//              └───────────── inbox: one await ────────┴───────────────────┘
//
// Invariants kept here: I2 (intent flushed before the effect, outcome after it), I3 (only this file appends),
// I9 (an outcome whose intent is not under way changes nothing), I13 (requests are messages like any other).

import { type Entry, type Intent, isIntent, type RunEvent } from "../core/event.ts";
import type { Failure } from "../core/failure.ts";
import { fold } from "../core/fold.ts";
import { limits } from "../core/limits.ts";
import { plan } from "../core/plan.ts";
import { assert, success } from "../core/result.ts";
import { type Running, type RunState, runningKey } from "../core/state.ts";
import { isWaiting, nextWakeMs } from "../core/waits.ts";
import type { Ports } from "../ports.ts";
import { Derivation } from "./derive.ts";
import { Inbox, type Message } from "./inbox.ts";
import { isAbortable, perform } from "./perform/perform.ts";
import { endInterrupted, takeBranch, toFinish, toRepeat } from "./recover.ts";
import { toRequestEvents } from "./request-events.ts";

export interface EngineOptions {
  readonly ports: Ports;
  /** The folded journal; null for a new one. */
  readonly state: RunState | null;
  /** What this start adds: `run-created` for a new run, a repaired journal, a take-over, `session-started`. */
  readonly opening: readonly RunEvent[];
  /** Sees every entry after it is durable; must not throw. */
  readonly onEntry: (entry: Entry, state: RunState) => void;
  /** Lines of output of what is under way, for live views; never journalled. */
  readonly onOutput: (line: string, intent: Intent) => void;
  /** Missing: one of its own. */
  readonly inbox?: Inbox;
}

export type EngineEnd =
  /** The run came to a stop that the journal records. */
  | { readonly kind: "stopped"; readonly state: RunState }
  /** The journal could not be written: nothing more could be recorded. */
  | { readonly kind: "journal-lost"; readonly failure: Failure; readonly state: RunState | null };

export interface Engine {
  /** Works until the run stops. */
  run(): Promise<EngineEnd>;
  /** Records what waits in the inbox (requests, opening events) and derives the files, without any work. */
  settle(): Promise<EngineEnd>;
  /** `pause --now`: ends what is under way and stops. */
  stop(by: string): void;
}

export function createEngine(options: EngineOptions): Engine {
  const loop = new Loop(options);
  return {
    run: () => loop.run(),
    settle: () => loop.settle(),
    stop: (by) => loop.post({ kind: "stop", by }),
  };
}

interface UnderWay {
  readonly intent: Intent;
  /** Number of the intent's journal entry. */
  readonly seq: number;
  readonly abort: AbortController;
  stoppedBy: string;
}

/** Thrown by `record` alone and caught by the two public methods: nothing can be recorded any more. */
class JournalLost extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super("the journal cannot be written");
    this.failure = failure;
  }
}

class Loop {
  readonly #ports: Ports;
  readonly #options: EngineOptions;
  readonly #inbox: Inbox;
  readonly #underWay = new Map<string, UnderWay>();
  readonly #derivation: Derivation;
  #state: RunState | null;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#inbox = options.inbox ?? new Inbox();
    this.#ports = options.ports;
    this.#state = options.state;
    this.#derivation = new Derivation(options.ports.files, options.ports.clock);
  }

  post(message: Message): void {
    this.#inbox.post(message);
  }

  async run(): Promise<EngineEnd> {
    const unwatch = this.#ports.requests.watch(() => this.#inbox.post({ kind: "requests" }));
    try {
      await this.#open();
      await this.#claimRequests({ isOpening: true });
      await this.#turnUntilStopped();
      return { kind: "stopped", state: this.#known() };
    } catch (error) {
      return await this.#giveUp(error);
    } finally {
      unwatch();
      if (this.#state !== null) await this.#ports.repository.releaseBranch(this.#state.branch);
    }
  }

  async settle(): Promise<EngineEnd> {
    try {
      for (const event of this.#options.opening) await this.#record(event);
      await this.#claimRequests({ isOpening: true });
      const { cancelled, phase } = this.#known();
      if (cancelled !== null && phase.kind !== "failed") {
        await this.#record({ kind: "run-failed", failure: { reason: "cancelled", by: cancelled } });
      }
      await this.#derive();
      return { kind: "stopped", state: this.#known() };
    } catch (error) {
      return await this.#giveUp(error);
    } finally {
      // A program that was killed held it; what is not worked on is not held.
      if (this.#state !== null) await this.#ports.repository.releaseBranch(this.#state.branch);
    }
  }

  async #open(): Promise<void> {
    for (const event of this.#options.opening) await this.#record(event);
    for (const running of toFinish(this.#known())) this.#start(running);
    while (this.#underWay.size > 0) await this.#handle(await this.#inbox.next());
    for (const event of await endInterrupted(this.#known(), this.#ports)) await this.#record(event);
    const taken = await takeBranch(this.#known(), this.#ports);
    if (!taken.ok) {
      await this.#record({ kind: "run-blocked", failure: taken.failure, question: null });
      return;
    }
    for (const event of taken.value) await this.#record(event);
    for (const running of toRepeat(this.#known())) this.#start(running);
  }

  async #turnUntilStopped(): Promise<void> {
    while (this.#known().phase.kind === "running") {
      const askedMs = await this.#begin();
      await this.#derive();
      if (this.#known().phase.kind !== "running") return;
      const wakes = [this.#wakeInTime(askedMs), this.#wakeForViews()];
      await this.#handle(await this.#inbox.next());
      for (const wake of wakes) wake.cancel();
    }
    await this.#derive();
  }

  /** A file that was put off is written though nothing more may happen for an hour. */
  #wakeForViews(): { cancel: () => void } {
    const delayMs = this.#derivation.dueInMs(this.#known());
    if (delayMs === null) return { cancel: () => {} };
    return { cancel: this.#ports.clock.after(delayMs, () => this.#inbox.post({ kind: "time" })) };
  }

  /** Records and starts everything that can begin now; the moment at which there was nothing more. */
  async #begin(): Promise<number> {
    for (;;) {
      const nowMs = this.#ports.clock.nowMs();
      const event = plan(this.#known(), nowMs);
      if (event === null) return nowMs;
      if (isStop(event)) await this.#compareBase();
      const entry = await this.#record(event);
      // What was recorded is what is done: a start after a crash knows nothing else.
      const recorded = entry.event;
      if (isIntent(recorded)) this.#start({ intent: recorded, atMs: entry.atMs, seq: entry.seq });
    }
  }

  /** Lets the plan be asked again when the first wait ends that kept it from anything: it may be over by now. */
  #wakeInTime(askedMs: number): { cancel: () => void } {
    const wakeMs = nextWakeMs(this.#known(), askedMs);
    if (wakeMs === null) {
      assert(this.#underWay.size > 0, "a running run with nothing planned has something under way");
      return { cancel: () => {} };
    }
    const leftMs = wakeMs - this.#ports.clock.nowMs();
    const delayMs = Math.min(Math.max(0, leftMs), limits.waitLookMs);
    return { cancel: this.#ports.clock.after(delayMs, () => this.#inbox.post({ kind: "time" })) };
  }

  async #compareBase(): Promise<void> {
    const { baseName, base } = this.#known();
    // A commit, unlike a branch, stays where it is.
    const moved =
      baseName === base ? success(0) : await this.#ports.repository.countSince({ branch: baseName, base });
    await this.#record({ kind: "base-compared", movedBy: moved.ok ? moved.value : null });
  }

  #start({ intent, atMs, seq }: Running): void {
    const key = runningKey(intent);
    const underWay: UnderWay = { intent, seq, abort: new AbortController(), stoppedBy: "" };
    this.#underWay.set(key, underWay);
    perform({
      intent,
      atMs,
      state: this.#known(),
      ports: this.#ports,
      signal: underWay.abort.signal,
      stoppedBy: () => underWay.stoppedBy,
      onOutput: (line) => this.#options.onOutput(line, intent),
      onWait: (wait) => this.#inbox.post({ kind: "agent-waits", key, seq, ...wait }),
    }).then(
      (events) => this.#inbox.post({ kind: "effect-ended", key, seq, events }),
      (error: unknown) => this.#inbox.post({ kind: "broken", key, seq, error }),
    );
  }

  async #handle(message: Message): Promise<void> {
    switch (message.kind) {
      case "effect-ended":
        this.#forget(message);
        if (this.#known().running.get(message.key)?.seq !== message.seq) return; // I9
        for (const event of message.events) await this.#record(event);
        return;
      case "agent-waits":
        return this.#recordWait(message);
      case "time":
        return;
      case "requests":
        return this.#claimRequests({ isOpening: false });
      case "stop":
        await this.#record({ kind: "pause-requested", now: true, by: message.by });
        return this.#abortWhere(message.by, () => true);
      case "broken":
        this.#forget(message);
        throw message.error;
    }
  }

  /** An agent that waits by itself; nothing is lost when it is ended for a pause. */
  async #recordWait({
    key,
    seq,
    untilMs,
    failure,
  }: Extract<Message, { kind: "agent-waits" }>): Promise<void> {
    const intent = this.#known().running.get(key)?.intent;
    if (this.#underWay.get(key)?.seq !== seq || intent?.kind !== "dispatch-started") return; // I9
    const { agent, dispatch } = intent;
    await this.#record({ kind: "wait-started", agent, dispatch, untilMs, failure });
    const { pause } = this.#known();
    if (pause !== null) this.#abortWaiting(pause.by);
  }

  #abortWaiting(by: string): void {
    const nowMs = this.#ports.clock.nowMs();
    const isIdle = (intent: Intent) =>
      intent.kind === "dispatch-started" && isWaiting(this.#known(), intent.dispatch, nowMs);
    this.#abortWhere(by, isIdle);
  }

  #forget({ key, seq }: { readonly key: string; readonly seq: number }): void {
    if (this.#underWay.get(key)?.seq === seq) this.#underWay.delete(key);
  }

  /** A pause that was meant for a session that is gone does not stop this one. */
  async #claimRequests(at: { isOpening: boolean }): Promise<void> {
    const { requests } = this.#ports;
    const earlier = at.isOpening ? await requests.claimedBefore() : [];
    for (const request of [...earlier, ...(await requests.claim())]) {
      if (at.isOpening && request.kind === "pause") continue;
      for (const event of toRequestEvents(this.#known(), request)) await this.#record(event);
      if (request.kind === "pause") this.#abortWaiting(request.by);
      if (request.kind === "pause" && request.now) this.#abortWhere(request.by, () => true);
      if (request.kind === "cancel") this.#abortWhere(request.by, () => true);
      if (request.kind === "skip") this.#abortWhere(request.by, (intent) => isAbout(intent, request.taskId));
    }
  }

  #abortWhere(by: string, matches: (intent: Intent) => boolean): void {
    for (const underWay of this.#underWay.values()) {
      if (!isAbortable(underWay.intent) || !matches(underWay.intent)) continue;
      underWay.stoppedBy = by;
      underWay.abort.abort();
    }
  }

  /** The one place that appends (I3). */
  async #record(event: RunEvent): Promise<Entry> {
    const appended = await this.#ports.journal.append(event, this.#ports.clock.nowMs());
    if (!appended.ok) throw new JournalLost(appended.failure);
    this.#state = fold(this.#state, appended.value);
    this.#options.onEntry(appended.value, this.#state);
    return appended.value;
  }

  async #derive(): Promise<void> {
    const derived = await this.#derivation.update(this.#known());
    if (!derived.ok) throw new JournalLost(derived.failure);
  }

  /** Ends what is under way; its outcomes stay open in the journal and are settled by the next start. */
  async #giveUp(error: unknown): Promise<EngineEnd> {
    this.#abortWhere("a failure of the program", () => true);
    while (this.#underWay.size > 0) {
      const message = await this.#inbox.next();
      if (message.kind === "effect-ended" || message.kind === "broken") this.#forget(message);
    }
    if (error instanceof JournalLost)
      return { kind: "journal-lost", failure: error.failure, state: this.#state };
    throw error;
  }

  #known(): RunState {
    assert(this.#state !== null, "an open run has a state");
    return this.#state;
  }
}

function isStop(event: RunEvent): boolean {
  return /^run-(paused|blocked|failed|completed)$/.test(event.kind);
}

function isAbout(intent: Intent, taskId: string): boolean {
  return intent.kind !== "memory-started" && intent.taskId === taskId;
}
