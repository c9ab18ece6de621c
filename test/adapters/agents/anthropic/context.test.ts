// What goes over the line again and again: most of it comes from the service's cache, and it never grows too long.

import { describe, expect, test } from "vitest";
import type { Block, Body } from "../../../support/anthropic-rules.ts";
import { type Asked, call, type Reply } from "../../../support/anthropic-server.ts";
import { calling, failureOf, reporting, workWell } from "./work.ts";

describe("The cache", () => {
  test("holds at least 90 % of the input tokens of turns 2 to 30", async () => {
    const script = (_: unknown, index: number): Reply => {
      if (index === 29) return reporting();
      return calling(["bash", { command: `seq ${index} ${index + 120}` }]);
    };
    const worked = await workWell(script, {
      request: { prompt: `Do the task.\n${"It is long. ".repeat(300)}` },
    });
    expect(worked.outcome.kind).toBe("answered");
    expect(worked.server.asked.length).toBe(30);
    expect(cachedShare(worked.server.asked.slice(1))).toBeGreaterThan(0.9);
  });

  test("also where an answer has many calls, and where the results are large", async () => {
    const script = (_: unknown, index: number): Reply => {
      if (index === 29) return reporting();
      const parts = Array.from({ length: 15 }, (_part, part) =>
        call("bash", { command: `seq ${index} ${100 + part}` }),
      );
      return { content: index % 3 === 0 ? parts : [call("bash", { command: `seq 1 ${3000 + index}` })] };
    };
    const worked = await workWell(script);
    expect(worked.server.asked.length).toBe(30);
    expect(cachedShare(worked.server.asked.slice(1))).toBeGreaterThan(0.9);
  });

  test("finds all that the request before wrote, with four marks at most", async () => {
    const worked = await workWell((_, index) =>
      index === 5 ? reporting() : calling(["bash", { command: `seq ${index} 900` }]),
    );
    const usages = worked.server.asked.map(({ usage }) => usage);
    for (const [index, usage] of usages.slice(1).entries()) {
      const before = usages[index];
      const written =
        Number(before?.["cache_read_input_tokens"]) + Number(before?.["cache_creation_input_tokens"]);
      expect(usage?.["cache_read_input_tokens"]).toBe(written);
      expect(usage?.["input_tokens"]).toBe(0);
    }
  });

  test("is not broken by tools or words that change: they are the same in all dispatches of a role", async () => {
    const [one, two] = [await workWell([reporting()]), await workWell([reporting()])].map(
      ({ server }) => server.asked[0]?.body,
    );
    expect(one?.system).toEqual(two?.system);
    expect(one?.tools).toEqual(two?.tools);
    expect(one?.tools?.map(({ name }) => name)).toEqual([
      "bash",
      "edit",
      "glob",
      "grep",
      "read",
      "report",
      "write",
    ]);
  });
});

function cachedShare(asked: readonly Asked[]): number {
  const sum = (field: string) => asked.reduce((all, { usage }) => all + Number(usage?.[field]), 0);
  const read = sum("cache_read_input_tokens");
  return read / (read + sum("cache_creation_input_tokens") + sum("input_tokens"));
}

describe("A long conversation", () => {
  // About 2,300 tokens with tools and prompt, and about 1,000 more each turn.
  const growing = (turns: number) => (_: unknown, index: number) =>
    index === turns ? reporting() : calling(["bash", { command: `echo turn ${index}; seq 1000 1780` }]);

  test("loses the oldest results, many at once, and keeps the newest", async () => {
    const worked = await workWell(growing(24), { bounds: { contextTokens: 15_000 } });
    expect(worked.outcome.kind).toBe("answered");
    const cleared = worked.server.asked.map(({ body }) => countOf(body, "[cleared"));
    const steps = cleared.filter((count, index) => index > 0 && count > (cleared[index - 1] ?? 0)).length;
    expect(Math.max(...cleared)).toBeGreaterThan(10);
    expect(steps).toBeLessThan(8);
    expect(worked.transcript).toContain('"event":"cleared"');
    expect(worked.transcript).not.toContain('"event":"summary"');
    for (const { body } of worked.server.asked) {
      expect(JSON.stringify(body.messages.at(-1))).not.toContain("[cleared");
      expect(tokensOf(body)).toBeLessThan(15_000);
    }
  });

  test("keeps its task in the cache when results are cleared, and when it is summed up", async () => {
    const prompt = "a long task ".repeat(1_500);
    const write = (index: number) => calling(["write", { path: `${index}.txt`, text: "x".repeat(6_000) }]);
    const script = (body: Body, index: number): Reply => {
      if (body.tools === undefined) return { content: "summed up" };
      return index > 10 && index < 25 ? write(index) : growing(30)(body, index);
    };
    const worked = await workWell(script, { request: { prompt }, bounds: { contextTokens: 20_000 } });
    expect(worked.outcome.kind).toBe("answered");
    for (const event of ["cleared", "summary"]) expect(worked.transcript).toContain(`"event":"${event}"`);
    for (const { usage, body } of worked.server.asked.slice(1)) {
      if (body.tools === undefined) continue;
      expect(usage?.["cache_read_input_tokens"]).toBeGreaterThan(prompt.length / 4);
    }
  });

  test("is summed up when there is nothing left to clear, and goes on with its task", async () => {
    const big = "x".repeat(6_000);
    const script = (body: Body, index: number): Reply => {
      if (body.tools === undefined) return { content: "wrote files 0 to 5; the next is left" };
      if (index === 14) return reporting();
      return calling(["write", { path: `${index}.txt`, text: `${index} ${big}` }]);
    };
    const worked = await workWell(script, { bounds: { contextTokens: 16_000 } });
    expect(worked.outcome.kind).toBe("answered");
    const summaries = worked.server.asked.filter(({ body }) => body.tools === undefined);
    expect(summaries.length).toBeGreaterThan(0);
    expect(textOf(summaries[0]?.body)).toContain("[call of write]");
    const next =
      worked.server.asked[worked.server.asked.findIndex(({ body }) => body.tools === undefined) + 1]?.body;
    expect(next?.messages.length).toBe(1);
    expect(textOf(next)).toContain("Do the task.");
    expect(textOf(next)).toContain("the next is left");
    expect(Number(worked.usage?.outputTokens)).toBe(
      worked.server.asked.reduce((all, { usage }) => all + Number(usage?.["output_tokens"]), 0),
    );
  });

  test.each([
    ["a 413", { status: 413 }],
    ["a stop for the window's sake", { content: "half an ans", stop: "model_context_window_exceeded" }],
  ] as const)("is summed up after %s, once", async (_, tooLong) => {
    const script = (body: Body, index: number): Reply => {
      if (body.tools === undefined) return { content: "it was long" };
      if (index === 0) return calling(["bash", { command: "seq 1 2000" }]);
      return index === 1 ? tooLong : reporting();
    };
    const worked = await workWell(script);
    expect(worked.outcome.kind).toBe("answered");
    expect(textOf(worked.server.asked[3]?.body)).toContain("it was long");
  });

  test("that is refused again after its summary is the end, and so is a task that is too long by itself", async () => {
    const script = (body: Body, index: number): Reply => {
      if (body.tools === undefined) return { content: "short" };
      return index === 0 ? calling(["bash", { command: "seq 1 2000" }]) : { status: 413 };
    };
    const again = await workWell(script);
    expect(failureOf(again)).toMatchObject({ reason: "request-refused", status: 413 });
    expect(again.server.asked.length).toBe(4);
    const first = await workWell(() => ({ status: 413 }));
    expect([failureOf(first), first.server.asked.length]).toMatchObject([{ reason: "request-refused" }, 1]);
  });

  test("may be what a bare refusal means, but not a short one", async () => {
    const script = (body: Body, index: number): Reply => {
      if (body.tools === undefined) return { content: "it was long" };
      if (index === 0) return calling(["bash", { command: "seq 1000 3500" }]);
      return index === 1 ? { status: 400 } : reporting();
    };
    const long = await workWell(script, { bounds: { contextTokens: 10_000 } });
    expect(long.outcome.kind).toBe("answered");
    const short = await workWell(script);
    expect(failureOf(short)).toMatchObject({ reason: "request-refused", status: 400 });
  });

  test("with a task that does not fit is the end, and so is a summary without words", async () => {
    const prompt = "too long ".repeat(8_000);
    const huge = await workWell(() => ({ content: "summed up" }), {
      request: { prompt },
      bounds: { contextTokens: 10_000 },
    });
    expect(failureOf(huge)).toMatchObject({
      reason: "agent-went-nowhere",
      how: expect.stringContaining("does not fit"),
    });
    const script = (body: Body, index: number): Reply => {
      if (body.tools === undefined) return { content: [] };
      return index === 0 ? calling(["bash", { command: "seq 1 2000" }]) : { status: 413 };
    };
    const mute = await workWell(script);
    expect(failureOf(mute)).toMatchObject({
      reason: "agent-went-nowhere",
      how: expect.stringContaining("sum it up"),
    });
  });
});

function countOf(body: Body, text: string): number {
  return JSON.stringify(body.messages).split(text).length - 1;
}

function tokensOf(body: Body): number {
  return JSON.stringify(body).length / 4;
}

function textOf(body: Body | undefined): string {
  const blocks: readonly Block[] = body?.messages.flatMap(({ content }) => content) ?? [];
  return blocks.map((block) => String(block["text"] ?? "")).join("\n");
}
