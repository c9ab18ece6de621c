// What every implementation of the port Requests does.
import { expect, test } from "vitest";
import type { TaskId } from "../../src/core/ids.ts";
import type { BuilderRequest, Requests } from "../../src/ports.ts";

export interface RequestsSubject {
  readonly requests: Requests;
  send(request: BuilderRequest): Promise<void>;
  /** Leaves something that is no request. */
  sendText(text: string): Promise<void>;
}

const taskId = "task-1" as TaskId; // by its form it is one

const everyRequest: readonly BuilderRequest[] = [
  { kind: "pause", now: true, by: "Ann" },
  { kind: "answer", question: "q1", text: "approve\nor so", by: "Ann" },
  { kind: "retry", taskId, note: "", by: "Ann" },
  { kind: "skip", taskId, why: "not needed", by: "Ann" },
  { kind: "cancel", by: "Ann" },
];

export function requestsConformance(make: () => Promise<RequestsSubject>): void {
  test("nothing sent, nothing claimed", async () => {
    const { requests } = await make();
    expect(await requests.claim()).toEqual([]);
  });

  test("every kind of request comes back as it was sent, oldest first, once", async () => {
    const { requests, send } = await make();
    for (const request of everyRequest) await send(request);
    expect(await requests.claim()).toMatchObject(everyRequest);
    expect(await requests.claim()).toEqual([]);
    const later: BuilderRequest = { kind: "cancel", by: "Bob" };
    await send(later);
    expect(await requests.claim()).toMatchObject([later]);
  });

  test("what was claimed can be looked at again, under the same ids", async () => {
    const { requests, send } = await make();
    expect(await requests.claimedBefore()).toEqual([]);
    for (const request of everyRequest) await send(request);
    const claimed = await requests.claim();
    expect(new Set(claimed.map(({ id }) => id)).size).toBe(everyRequest.length);
    expect(await requests.claimedBefore()).toEqual(claimed);
  });

  test("what is no request is set aside and does not hide the others", async () => {
    const { requests, send, sendText } = await make();
    await sendText("{");
    await send({ kind: "cancel", by: "Ann" });
    await sendText(`{ "kind": "approve everything", "by": "Ann" }`);
    expect(await requests.claim()).toMatchObject([{ kind: "cancel", by: "Ann" }]);
    expect(await requests.claim()).toEqual([]);
  });

  test("a watcher is called soon after each request", async () => {
    const { requests, send } = await make();
    for (const by of ["Ann", "Bob"]) {
      const { promise, resolve } = withResolver();
      const stop = requests.watch(resolve);
      await send({ kind: "cancel", by });
      await promise;
      stop();
      expect(await requests.claim()).toMatchObject([{ kind: "cancel", by }]);
    }
  });

  test("a request that was there before the watch began is told as well", async () => {
    const { requests, send } = await make();
    await send({ kind: "cancel", by: "Ann" });
    const { promise, resolve } = withResolver();
    const stop = requests.watch(resolve);
    await promise;
    stop();
    expect(await requests.claim()).toHaveLength(1);
  });

  test("a watcher that has stopped is not called", async () => {
    const { requests, send } = await make();
    const first = withResolver();
    requests.watch(() => expect.unreachable("it has stopped"))();
    const stop = requests.watch(first.resolve);
    await send({ kind: "cancel", by: "Ann" });
    await first.promise;
    stop();
  });
}

function withResolver(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
