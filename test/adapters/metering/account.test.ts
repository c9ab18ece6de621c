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
