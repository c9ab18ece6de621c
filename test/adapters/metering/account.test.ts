// What dispatches used together, and when there is nothing left.

import { describe, expect, test } from "vitest";
import { type Caps, openAccounts } from "../../../src/adapters/metering/account.ts";
import type { Tokens } from "../../../src/adapters/metering/tokens.ts";
import type { TaskId } from "../../../src/core/ids.ts";
import type { Usage } from "../../../src/core/report.ts";

const taskId = "task-1" as TaskId; // by its form it is one

/** A dollar for each token of output; the model "free" is not known. */
function costOf({ model, outputTokens }: Usage): number | null {
  return model === "free" ? null : outputTokens;
}

function used(outputTokens: number, model = "a"): Tokens {
  return { model, inputTokens: 1, outputTokens, cacheReadTokens: 2, cacheWriteTokens: 3 };
}

const caps: Caps = { usedUsd: 0, limitUsd: 10, task: null };

describe("An account", () => {
  test("adds up what the requests of a dispatch used", () => {
    const account = openAccounts()(caps, costOf);
    expect(account.usage()).toBeNull();
    account.add(() => used(2, "a"));
    account.add(() => used(5, "b"));
    expect(account.usage()).toEqual({
      inputTokens: 2,
      outputTokens: 7,
      cacheReadTokens: 4,
      cacheWriteTokens: 6,
      costUsd: 7,
      costBasis: "measured",
      model: "b",
    });
  });

  test("of a model without a price, or of an answer that did not say, is of unknown cost", () => {
    const open = openAccounts();
    const unpriced = open(caps, costOf);
    unpriced.add(() => used(2));
    unpriced.add(() => used(1, "free"));
    expect(unpriced.usage()).toMatchObject({
      outputTokens: 3,
      costUsd: null,
      costBasis: "unknown",
      model: "free",
    });
    const unsaid = open(caps, costOf);
    unsaid.add(() => used(2));
    unsaid.add(() => null);
    expect(unsaid.usage()).toMatchObject({ outputTokens: 2, costUsd: null, costBasis: "unknown" });
  });

  test("reaches the cap of the run with what was used before, and by others under way", () => {
    const open = openAccounts();
    const one = open({ ...caps, usedUsd: 4 }, costOf);
    const two = open({ ...caps, usedUsd: 4 }, costOf);
    one.add(() => used(3));
    expect(two.reached()).toBeNull();
    two.add(() => used(3));
    expect(two.reached()).toEqual({ usedUsd: 10, limitUsd: 10, taskId: null });
    expect(one.reached()).not.toBeNull();
  });

  test("counts a dispatch that has ended once, whether the run knows of it already or not", () => {
    const open = openAccounts();
    const first = open({ ...caps, usedUsd: 1 }, costOf);
    first.add(() => used(4));
    first.close();
    first.close();
    expect(open({ ...caps, usedUsd: 5 }, costOf).reached()).toBeNull();
    expect(open({ ...caps, usedUsd: 1 }, costOf).reached()).toBeNull();
    const last = open({ ...caps, usedUsd: 5 }, costOf);
    last.add(() => used(5));
    expect(last.reached()).toMatchObject({ usedUsd: 10 });
  });

  test("lets one request find out what it costs, then as many at once as the caps have room for", () => {
    const open = openAccounts();
    const one = open({ usedUsd: 9.6, limitUsd: 10, task: null }, costOf);
    const two = open({ usedUsd: 9.6, limitUsd: 10, task: null }, costOf);
    const went: string[] = [];
    const leave = one.enter(() => went.push("first"));
    const others = ["second", "third", "fourth"].map((name) => two.enter(() => went.push(name)));
    expect(went).toEqual(["first"]);
    one.add(() => used(0.1));
    leave(() => used(0.1));
    expect(went, "0.3 is left for what costs 0.1").toEqual(["first", "second", "third", "fourth"]);
    two.add(() => used(0.3));
    const last = one.enter(() => went.push("fifth"));
    expect(went, "what is told does not wait for its turn").toContain("fifth");
    for (const each of [...others, last]) each(null);
  });

  test("leaves a request that is given up out of the row, and the room of one that told nothing", () => {
    const account = openAccounts()(
      { usedUsd: 0, limitUsd: 10, task: { id: taskId, usedUsd: 0, limitUsd: 0.5 } },
      costOf,
    );
    const went: string[] = [];
    const leave = account.enter(() => went.push("first"));
    const givenUp = account.enter(() => went.push("second"));
    const third = account.enter(() => went.push("third"));
    givenUp(null);
    expect(went).toEqual(["first"]);
    leave(null);
    expect(went).toEqual(["first", "third"]);
    third(null);
    account.enter(() => went.push("fourth"));
    expect(went).toContain("fourth");
  });

  test("lets any number go without caps, and those of the usual budget side by side", () => {
    const went: number[] = [];
    const free = openAccounts()({ usedUsd: 0, limitUsd: 0, task: null }, costOf);
    for (let count = 0; count < 50; count += 1) free.enter(() => went.push(count));
    const usual = { usedUsd: 0, limitUsd: 25, task: { id: taskId, usedUsd: 0, limitUsd: 5 } };
    const roomy = openAccounts()(usual, costOf);
    for (let count = 50; count < 60; count += 1) roomy.enter(() => went.push(count));
    expect(went).toHaveLength(60);
  });

  test("reaches the cap of its task with what the task used before", () => {
    const task = { id: taskId, usedUsd: 2, limitUsd: 5 };
    const account = openAccounts()({ ...caps, task }, costOf);
    account.add(() => used(2));
    expect(account.reached()).toBeNull();
    account.add(() => used(1));
    expect(account.reached()).toEqual({ usedUsd: 5, limitUsd: 5, taskId });
  });

  test("has no cap where 0 switches it off", () => {
    const off = openAccounts()(
      { usedUsd: 1, limitUsd: 0, task: { id: taskId, usedUsd: 1, limitUsd: 0 } },
      costOf,
    );
    off.add(() => used(1_000));
    expect(off.reached()).toBeNull();
  });

  test("sees a stream grow", () => {
    const account = openAccounts()(caps, costOf);
    let tokens = 1;
    account.add(() => used(tokens));
    expect(account.reached()).toBeNull();
    tokens = 10;
    expect(account.reached()).not.toBeNull();
  });
});
