import { describe, expect, it } from "vitest";
import type { RunEvent } from "../../src/core/event.ts";
import type { Failure } from "../../src/core/failure.ts";
import { dispatchId } from "../../src/core/ids.ts";
import { limits } from "../../src/core/limits.ts";
import type { Policy } from "../../src/core/policy.ts";
import { agentNow, drawn, isWaiting, nextWakeMs, waitOf } from "../../src/core/waits.ts";
import { makeAgent, makePolicy, makeTask } from "../support/run-parts.ts";
import { RunStory } from "../support/run-story.ts";
import {
  answer,
  begin,
  crashed,
  dispatched,
  failedWith,
  finish,
  follow,
  gateFailed,
  gitFailed,
  next,
  opened,
  recordOf,
  retry,
  skip,
} from "./tell.ts";

const overloaded: Failure = { reason: "service-failed", agent: "developer", status: 529, detail: "busy" };

function limited(resetAtMs: number | null): Failure {
  return { reason: "rate-limited", agent: "developer", resetAtMs, detail: "5 hours" };
}

function one(policy: Partial<Policy> = {}): RunStory {
  // Longer than the second between two events of a story.
  const retries = { maxRetries: 3, backoffBaseMs: 60_000, backoffMaxMs: 600_000 };
  return opened([makeTask("a")], { retry: retries, ...policy });
}

/** A developer that failed so; its attempt is over. */
function failed(story: RunStory, failure: Failure): RunStory {
  return follow(dispatched(story, { stage: "develop", task: "a" }, failedWith(failure)));
}

/** Until the wait that the plan asks for, or that is under way, is over. */
function waited(story: RunStory): RunStory {
  const event = next(story);
  if (event !== null) story.add(event);
  const wakeMs = nextWakeMs(story.state, story.state.updatedAtMs);
  if (wakeMs === null) throw new Error(`no wait: ${JSON.stringify(event)}`);
  return story.add({ kind: "told", text: "later" }, wakeMs - story.state.updatedAtMs);
}

/** As many failures of the service in a row. */
function failedOften(story: RunStory, failure: Failure, times: number): RunStory {
  for (let count = 1; count <= times; count += 1) {
    if (count > 1 && next(story)?.kind === "wait-started") waited(story);
    failed(story, failure);
  }
  return story;
}

function untilOf(event: RunEvent | null, story: RunStory): number {
  if (event?.kind !== "wait-started") throw new Error(`no wait: ${JSON.stringify(event)}`);
  return event.untilMs - story.state.updatedAtMs;
}

describe("after a failure of the service", () => {
  it("the agent is not asked for a part of the backoff, which is recorded with its end", () => {
    const story = failed(one(), overloaded);
    expect(next(story)).toMatchObject({ kind: "wait-started", agent: "developer", failure: overloaded });
    follow(story);
    const wakeMs = nextWakeMs(story.state, story.state.updatedAtMs) ?? 0;
    expect(next(story, wakeMs - story.state.updatedAtMs - 1)).toBeNull();
    expect(next(story, wakeMs - story.state.updatedAtMs)).toMatchObject({
      kind: "dispatch-started",
      stage: "develop",
      attempt: 2,
    });
  });

  it("the wait grows up to its most, and is drawn anew", () => {
    const retries = { maxRetries: 40, backoffBaseMs: 4_000_000, backoffMaxMs: 16_000_000 };
    const story = one({ retry: retries, budget: roomy });
    const waits = Array.from({ length: 40 }, () => {
      const ms = untilOf(next(failed(story, overloaded)), story);
      waited(story);
      return ms;
    });
    for (const [tries, ms] of waits.entries()) {
      expect(ms).toBeLessThan(Math.min(16_000_000, 4_000_000 * 2 ** tries));
    }
    expect(Math.max(...waits.slice(2))).toBeGreaterThan(8_000_000);
    expect(Math.min(...waits.slice(2))).toBeLessThan(8_000_000);
    expect(new Set(waits).size).toBe(40);
  });

  it("none of it uses up an attempt, or is told as sent back (I14)", () => {
    const story = failedOften(one({ maxAttempts: 1 }), overloaded, 2);
    expect(recordOf(story, "a").attempts).toHaveLength(2);
    expect([...story.state.progress]).toEqual([]);
    expect(next(waited(story))).toMatchObject({ kind: "dispatch-started", stage: "develop" });
  });

  it.each([
    ["after the extra tries of the policy", overloaded, { maxRetries: 1 }, 2],
    ["at once without extra tries", overloaded, { maxRetries: 0 }, 1],
    ["after a limit without an end as well", limited(null), { maxRetries: 2 }, 3],
    ["after five limits with an end", limited(1_769_850_100_000), { maxRetries: 2 }, 5],
  ] as const)("the builder is asked %s", (_when, failure, retries, times) => {
    const story = one({ retry: { backoffBaseMs: 1, backoffMaxMs: 1, ...retries } });
    failedOften(story, failure, times - 1);
    if (times > 1) expect(next(story)?.kind).not.toBe("question-asked");
    failed(story, failure);
    if (next(story)?.kind === "wait-started") follow(story);
    expect(next(story)).toMatchObject({
      kind: "question-asked",
      question: { failure: { reason: "infrastructure-in-a-row", times } },
    });
  });

  it("tries that the agent made by itself count: the service is asked no more often than the policy says", () => {
    const tired: Failure = { ...overloaded, tries: 4 };
    expect(next(failed(one(), tired))).toMatchObject({
      kind: "question-asked",
      question: { failure: { reason: "infrastructure-in-a-row", times: 4 } },
    });
    const few: Failure = { ...overloaded, tries: 3 };
    expect(next(failed(one(), few))).toMatchObject({ kind: "wait-started" });
  });

  it("a wait that ended while nobody was there is not recorded any more", () => {
    const story = failed(one({ retry: { maxRetries: 3, backoffBaseMs: 0, backoffMaxMs: 0 } }), overloaded);
    expect(next(story)).toMatchObject({ kind: "dispatch-started", attempt: 2 });
  });

  it("the run's stages are asked again as often, and then the builder is asked", () => {
    const retries = { maxRetries: 1, backoffBaseMs: 600_000, backoffMaxMs: 600_000 };
    const policy = makePolicy({ recon: "on", retry: retries });
    const story = new RunStory({ tasks: [makeTask("a")] }).started(policy).baseline().stage("baseline");
    const recon = { stage: "recon", task: null } as const;
    dispatched(story, recon, failedWith(overloaded));
    expect(next(follow(story))).toBeNull();
    expect(next(waited(story))).toMatchObject({ stage: "recon", try: 2 });
    dispatched(story, recon, failedWith(crashed));
    expect(story.state.stageFailures).toMatchObject({ times: 1 });
    dispatched(story, recon, failedWith(overloaded));
    dispatched(story, recon, failedWith(overloaded));
    expect(next(story)).toMatchObject({
      kind: "question-asked",
      question: { about: { stage: "recon" }, failure: { reason: "infrastructure-in-a-row", times: 2 } },
    });
  });

  it("a precheck, which is advice, is gone without in the end", () => {
    const story = one({
      precheck: "on",
      retry: { maxRetries: 1, backoffBaseMs: 9_000, backoffMaxMs: 9_000 },
    });
    const precheck = { stage: "precheck", task: "a" } as const;
    dispatched(story, precheck, failedWith(overloaded));
    expect(next(waited(story))).toMatchObject({ stage: "precheck" });
    dispatched(story, precheck, failedWith(overloaded));
    expect(next(story)).toMatchObject({ stage: "develop" });
  });

  it("trouble of another stage belongs to another row", () => {
    const story = gateFailed(one().developed("a").candidate("a"), "a", gitFailed);
    const outcome = { kind: "interrupted", by: "me" } as const;
    story.add({ kind: "attempt-ended", taskId: recordOf(story, "a").task.id, attempt: 1, outcome });
    failed(story, overloaded);
    expect(story.state.dueWait).toMatchObject({ times: 1 });
  });

  it("a review of the same commit is asked for again", () => {
    const story = one().developed("a").candidate("a").gates("a");
    dispatched(story, { stage: "review", task: "a" }, failedWith(overloaded));
    expect(next(waited(story))).toMatchObject({ stage: "review", attempt: 1 });
  });
});

const roomy = { usd: 0, perTaskUsd: 0, wallClockMs: 0, maxDispatches: 1_000 } as const;

describe("a limit", () => {
  it("is waited for until it ends", () => {
    const story = one();
    const resetAtMs = story.state.updatedAtMs + 3_600_000;
    failed(story, limited(resetAtMs));
    expect(next(story)).toMatchObject({ kind: "wait-started", untilMs: resetAtMs });
    expect(next(waited(story))).toMatchObject({ kind: "dispatch-started", agent: "developer" });
  });

  it("that is said to be over is waited for like a failure whose end nobody knows", () => {
    const over = failed(one(), limited(1));
    const unknown = failed(one(), overloaded);
    expect(untilOf(next(over), over)).toBe(untilOf(next(unknown), unknown));
  });

  it("pauses the run where the builder wants that, and where it lasts too long", () => {
    const paused = { kind: "run-paused", failure: limited(null) };
    expect(next(failed(one({ onRateLimit: "pause" }), limited(null)))).toEqual(paused);
    const story = one();
    const far = limited(story.state.updatedAtMs + limits.waitMs + 60_000);
    expect(next(failed(story, far))).toEqual({ kind: "run-paused", failure: far });
  });

  it("is no matter for the fallback, which is told of it and asked as long as it lasts", () => {
    const agents = {
      developer: makeAgent({ fallback: "second" }),
      second: makeAgent(),
      reviewer: makeAgent(),
    };
    const story = one({ agents, onRateLimit: "fallback" });
    const resetAtMs = story.state.updatedAtMs + 3_600_000;
    follow(failed(story, limited(resetAtMs)));
    expect(next(story)).toMatchObject({ kind: "dispatch-started", agent: "second", attempt: 2 });
    expect(next(story, 3_600_000)).toMatchObject({ agent: "developer" });
    const at = story.state.updatedAtMs;
    story.add({
      kind: "wait-started",
      agent: "second",
      dispatch: null,
      untilMs: at + 9_000,
      failure: overloaded,
    });
    expect(agentNow(story.state, "developer", at + 1_000)).toBeNull();
    expect(agentNow(story.state, "second", at + 1_000)).toBeNull();
    expect(next(story)).toBeNull();
  });

  it("is waited for where there is no fallback, and where the trouble is another", () => {
    const story = one({ onRateLimit: "fallback" });
    follow(failed(story, limited(story.state.updatedAtMs + 60_000)));
    expect(next(story)).toBeNull();
    const other = one({ agents: { developer: makeAgent({ fallback: "x" }) }, onRateLimit: "fallback" });
    follow(failed(other, overloaded));
    expect(agentNow(other.state, "developer", other.state.updatedAtMs)).toBeNull();
  });
});

describe("a wait", () => {
  it("survives the program: the rest of it is waited after the restart", () => {
    const story = one();
    follow(failed(story, limited(story.state.updatedAtMs + 60_000)));
    story.started(story.state.policy ?? undefined);
    const left = (nextWakeMs(story.state, story.state.updatedAtMs) ?? 0) - story.state.updatedAtMs;
    expect(left).toBeLessThan(60_000);
    expect(next(story, left - 1)).toBeNull();
    expect(next(story, left)).toMatchObject({ kind: "dispatch-started" });
  });

  it("is over when a builder pauses: the run stops at once", () => {
    const story = one();
    follow(failed(story, limited(story.state.updatedAtMs + 60_000)));
    story.add({ kind: "pause-requested", now: false, by: "me" });
    expect(next(story)).toMatchObject({ kind: "run-paused", failure: { reason: "paused-by-builder" } });
  });

  it("keeps the run from its end only while there is a task that needs the agent", () => {
    const story = opened([makeTask("a"), makeTask("b")], { maxAttempts: 1 });
    follow(failed(story, limited(story.state.updatedAtMs + 3_600_000)));
    expect(next(skip(story, "a"))).toBeNull();
    expect(next(skip(story, "b"))).toMatchObject({ kind: "dispatch-started", stage: "holistic-review" });
  });

  it("is over for who was asked after it, even when the clock is set back then", () => {
    const story = waited(follow(failed(one(), overloaded)));
    const { untilMs } = story.state.waits.get("developer") ?? { untilMs: 0 };
    begin(story, { stage: "develop", task: "a" });
    expect(waitOf(story.state, "developer", untilMs - 1)).toBeNull();
  });

  it("is over for a clock that was set back before its beginning", () => {
    const story = follow(failed(one(), limited(1_769_850_100_000)));
    const { updatedAtMs } = story.state;
    expect(waitOf(story.state, "developer", updatedAtMs - 1)).toBeNull();
    expect(waitOf(story.state, "developer", updatedAtMs)).not.toBeNull();
    expect(waitOf(story.state, "reviewer", updatedAtMs)).toBeNull();
  });

  it("keeps only its own agent from being asked", () => {
    const agents = { developer: makeAgent(), other: makeAgent(), reviewer: makeAgent() };
    const story = opened([makeTask("a", { agent: "other" }), makeTask("b")], { agents });
    const untilMs = story.state.updatedAtMs + 60_000;
    story.add({ kind: "wait-started", agent: "reviewer", dispatch: null, untilMs, failure: overloaded });
    expect(next(story)).toMatchObject({ taskId: "a", agent: "other" });
    expect(nextWakeMs(story.state, untilMs)).toBeNull();
  });

  it("of a dispatch that goes on by itself is known as such while it lasts", () => {
    const story = begin(one(), { stage: "develop", task: "a" });
    const untilMs = story.state.updatedAtMs + 9_000;
    const wait = { kind: "wait-started", agent: "developer", untilMs, failure: overloaded } as const;
    story.add({ ...wait, dispatch: dispatchId(1) });
    expect(isWaiting(story.state, dispatchId(1), story.state.updatedAtMs)).toBe(true);
    expect(isWaiting(story.state, dispatchId(1), untilMs)).toBe(false);
    expect(isWaiting(story.state, dispatchId(2), story.state.updatedAtMs)).toBe(false);
  });

  it("of a review keeps its task where it is; the lead waits too", () => {
    const story = one().developed("a").candidate("a").gates("a");
    const untilMs = story.state.updatedAtMs + 60_000;
    for (const agent of ["reviewer", "orchestrator"]) {
      story.add({ kind: "wait-started", agent, dispatch: null, untilMs, failure: overloaded });
    }
    expect(next(story)).toBeNull();
    const reconned = opened([makeTask("a")]);
    expect(next(reconned)).not.toBeNull();
  });

  it("of the lead keeps the run from its end", () => {
    const story = one();
    story.add({ kind: "task-skipped", taskId: recordOf(story, "a").task.id, why: "no", by: "me" });
    const untilMs = story.state.updatedAtMs + 60_000;
    story.add({ kind: "wait-started", agent: "orchestrator", dispatch: null, untilMs, failure: overloaded });
    expect(next(story)).toBeNull();
    expect(next(story, 60_000)).toMatchObject({ stage: "holistic-review" });
    dispatched(story, { stage: "holistic-review", task: null }, failedWith(overloaded));
    expect(next(waited(story))).toMatchObject({ stage: "holistic-review" });
  });

  it("of an agent that no task asks any more keeps the run neither from its end nor from asking its builder", () => {
    const over = one();
    over.add({ kind: "task-skipped", taskId: recordOf(over, "a").task.id, why: "no", by: "me" });
    const untilMs = over.state.updatedAtMs + 60_000;
    over.add({ kind: "wait-started", agent: "developer", dispatch: null, untilMs, failure: overloaded });
    expect(next(over)).toMatchObject({ kind: "dispatch-started", stage: "holistic-review" });
    const held = failedOften(
      one({ retry: { maxRetries: 0, backoffBaseMs: 1, backoffMaxMs: 1 } }),
      overloaded,
      1,
    );
    follow(held);
    held.add({ kind: "wait-started", agent: "reviewer", dispatch: null, untilMs, failure: overloaded });
    expect(next(held)).toMatchObject({ kind: "run-blocked" });
  });

  it("of one task's developer does not keep a task of another developer from its start", () => {
    const agents = { developer: makeAgent(), other: makeAgent() };
    const story = opened([makeTask("a"), makeTask("b", { agent: "other" })], { agents });
    const untilMs = story.state.updatedAtMs + 60_000;
    story.add({ kind: "wait-started", agent: "developer", dispatch: null, untilMs, failure: overloaded });
    expect(next(story)).toMatchObject({ kind: "dispatch-started", taskId: "b", agent: "other" });
    expect(next(story, 60_000)).toMatchObject({ kind: "dispatch-started", taskId: "a" });
  });

  it("that is asked for after all begins a new row", () => {
    const story = one({ retry: { maxRetries: 0, backoffBaseMs: 1, backoffMaxMs: 1 } });
    follow(failed(story, overloaded));
    expect(story.state.questions).toHaveLength(1);
    expect(next(answer(story, "retry"))).toMatchObject({ kind: "dispatch-started", attempt: 2 });
    finish(follow(story), failedWith(overloaded));
    follow(story, 2);
    expect(next(retry(story, "a"))).toMatchObject({ kind: "dispatch-started", attempt: 3 });
  });
});

describe("the number drawn from a text", () => {
  it("is spread over the whole range, the same for the same text", () => {
    const numbers = Array.from({ length: 1_000 }, (_, index) => drawn(`run/d${index}`));
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...numbers)).toBeLessThan(1);
    for (let tenth = 0; tenth < 10; tenth += 1) {
      const share = numbers.filter((number) => Math.floor(number * 10) === tenth).length;
      expect(share).toBeGreaterThan(60);
    }
    expect(drawn("a")).toBe(drawn("a"));
  });
});
