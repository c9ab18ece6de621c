// The loop against a strict stand-in: it works until the report, whatever the reason that an answer ended for.

import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, onTestFinished, test } from "vitest";
import { limits } from "../../../../src/core/limits.ts";
import { call, resultsOf } from "../../../support/anthropic-server.ts";
import { ask, makePlace, toRequest } from "../requests.ts";
import { calling, failureOf, key, report, reporting, work, workWell } from "./work.ts";

describe("The loop", () => {
  test("reads, writes, edits, runs and looks in the lane, then reports", async () => {
    const place = await makePlace();
    await writeFile(join(place.lane, "old.txt"), "one\ntwo\n");
    const script = [
      calling(["read", { path: "old.txt" }]),
      calling(
        ["write", { path: "deep/new.txt", text: "new\n" }],
        ["edit", { path: "old.txt", old: "two", new: "three" }],
        ["bash", { command: "cat old.txt; echo $EXECUTE_PRD_ROLE $GIT_AUTHOR_NAME; exit 3" }],
      ),
      calling(["glob", { pattern: "**/*.txt" }], ["grep", { pattern: "th.ee" }]),
      reporting(),
    ];
    const worked = await workWell(script, { place });
    expect(worked.outcome).toMatchObject({ kind: "answered", report: { summary: "done it" } });
    const [, first, second, third] = worked.server.asked.map(({ body }) => resultsOf(body));
    expect(first).toEqual([{ ok: true, text: "1\tone\n2\ttwo" }]);
    expect(second).toEqual([
      { ok: true, text: 'wrote "deep/new.txt", 4 bytes' },
      { ok: true, text: 'wrote "old.txt", 10 bytes' },
      { ok: false, text: "one\nthree\ndeveloper agent d1\n[exit code 3]" },
    ]);
    expect(third).toEqual([
      { ok: true, text: "old.txt\ndeep/new.txt" },
      { ok: true, text: "old.txt:2: three" },
    ]);
    expect(await readFile(join(place.lane, "deep/new.txt"), "utf8")).toBe("new\n");
  });

  test("keeps prompt, request, report and transcript, and shows what goes on", async () => {
    const worked = await workWell([
      { content: [{ type: "text", text: "I look first." }, call("glob", { pattern: "*" })] },
      reporting(),
    ]);
    const kept = (name: string) => readFile(join(worked.place.evidence, name), "utf8");
    expect(await kept("prompt.md")).toBe("Do the task.\n");
    expect(JSON.parse(await kept("request.json"))).toMatchObject({ stage: "develop", handedOver: [] });
    expect(JSON.parse(await kept("report.json"))).toEqual(report);
    for (const event of ["answer", "call", "result", "end"])
      expect(worked.transcript).toContain(`"event":"${event}"`);
    expect(worked.lines).toEqual(["I look first.", 'glob {"pattern":"*"}', 'report {"summary":"done it"}']);
  });

  test("is a backend of the runner, and sums up what all requests used", async () => {
    const place = await makePlace();
    const worked = await workWell([calling(["glob", { pattern: "*" }]), reporting()], {
      place,
      agent: { model: "claude-opus-5-5", effort: "high" },
    });
    const sum = (field: string) =>
      worked.server.asked.reduce((all, { usage }) => all + Number(usage?.[field]), 0);
    expect(worked.usage).toEqual({
      inputTokens: sum("input_tokens"),
      outputTokens: sum("output_tokens"),
      cacheReadTokens: sum("cache_read_input_tokens"),
      cacheWriteTokens: sum("cache_creation_input_tokens"),
      costUsd: null,
      costBasis: "unknown",
      model: "claude-opus-5-5",
    });
    expect(worked.server.asked[0]?.body).toMatchObject({
      model: "claude-opus-5-5",
      output_config: { effort: "high" },
    });
    const agent = { ...toRequest(place).agent, backend: "anthropic" as const };
    const { answer } = await ask(place, toRequest(place, { agent }));
    expect(answer.outcome).toMatchObject({ failure: { reason: "not-logged-in" } });
  });

  test("carries out the calls of one answer in their order, and answers them in one message", async () => {
    const worked = await workWell([
      calling(
        ["write", { path: "a.txt", text: "1" }],
        ["bash", { command: "printf 2 >> a.txt" }],
        ["edit", { path: "a.txt", old: "12", new: "123" }],
        ["report", report],
        ["read", { path: "a.txt" }],
      ),
    ]);
    expect(worked.outcome.kind).toBe("answered");
    expect(worked.transcript).toContain("1\\t123");
    expect(await readFile(join(worked.place.lane, "a.txt"), "utf8")).toBe("123");
  });

  test("carries out a bounded number of calls of one answer, and tells of the others", async () => {
    const many = Array.from({ length: limits.toolCallsPerTurn + 5 }, (_, index) =>
      call("read", { path: `${index}` }),
    );
    const worked = await workWell([{ content: many }, reporting()]);
    const results = resultsOf(worked.server.asked[1]?.body as never); // the second request was made
    expect(results.length).toBe(many.length);
    expect(results.filter(({ text }) => text.includes("make this one again")).length).toBe(5);
  });

  test("bounds the results of one answer together", async () => {
    const calls = Array.from({ length: 20 }, (_, index) => call("bash", { command: `seq ${index} 9000` }));
    const worked = await workWell([{ content: calls }, reporting()]);
    const results = resultsOf(worked.server.asked[1]?.body as never); // the second request was made
    const chars = results.reduce((all, { text }) => all + text.length, 0);
    expect(chars).toBeGreaterThan(limits.turnResultChars / 2);
    expect(chars).toBeLessThan(limits.turnResultChars + 20 * (limits.toolLineChars + 100));
  });

  test("gives a report that cannot be used back, a few times", async () => {
    const better = await workWell([reporting({}), reporting()]);
    expect(better.outcome).toMatchObject({ kind: "answered" });
    expect(JSON.parse(await readFile(join(better.place.evidence, "report.json"), "utf8"))).toEqual(report);
    const never = await workWell(() => reporting({ summary: 1 }));
    expect(failureOf(never)).toMatchObject({ reason: "report-invalid", stage: "develop" });
    expect(never.server.asked.length).toBe(limits.reportTries + 1);
  });

  test("asks once for the report that is missing, and makes the model give it", async () => {
    const late = await workWell([{ content: "I am done." }, reporting()]);
    expect(late.outcome.kind).toBe("answered");
    expect(late.server.asked[1]?.body.tool_choice).toEqual({ type: "tool", name: "report" });
    const never = await workWell(() => ({ content: "I am done." }));
    expect(failureOf(never)).toEqual({ reason: "report-missing", agent: "developer", stage: "develop" });
    expect(never.server.asked.length).toBe(2);
  });

  test("takes a report that is said in place of the call, but none that is quoted in words", async () => {
    const fenced = `\`\`\`json\n${JSON.stringify(report)}\n\`\`\``;
    for (const content of [JSON.stringify(report), fenced]) {
      const said = await workWell([{ content }]);
      expect(said.outcome).toMatchObject({ kind: "answered", report: { summary: "done it" } });
    }
    const deep = `{"a":${"[".repeat(200_000)}${"]".repeat(200_000)}}`;
    for (const content of [`The file says: ${JSON.stringify(report)}`, `Look:\n${fenced}`, "{}"]) {
      const quoted = await workWell([{ content }, { content }]);
      expect(quoted.outcome.kind).toBe("failed");
      expect(quoted.server.asked).toHaveLength(2);
    }
    expect((await work([{ content: deep }, { content: deep }])).outcome.kind).toBe("failed");
  });

  test("asks without force where the model cannot be forced", async () => {
    const worked = await workWell((body, index) => {
      if (index === 0) return { content: [] };
      return body.tool_choice === undefined ? reporting() : { status: 400 };
    });
    expect(worked.outcome.kind).toBe("answered");
    expect(worked.server.asked.length).toBe(3);
  });

  test("goes on after a pause, and says back what only the service knows", async () => {
    const search = { type: "server_tool_use", id: "srv_1", name: "web_search", input: { query: "x" } };
    const worked = await workWell([{ content: [search], stop: "pause_turn" }, reporting()]);
    expect(worked.outcome.kind).toBe("answered");
    expect(worked.server.asked[1]?.body.messages.at(-1)).toEqual({ role: "assistant", content: [search] });
  });

  test("says thoughts back as they came", async () => {
    const thought = { type: "thinking", thinking: "hm", signature: "c2ln" };
    const worked = await workWell([{ content: [thought, call("glob", { pattern: "*" })] }, reporting()]);
    expect(worked.server.asked[1]?.body.messages[1]?.content[0]).toEqual(thought);
    const alone = await workWell([{ content: [thought] }, reporting()]);
    expect(alone.outcome.kind).toBe("answered");
  });

  test("ends at a refusal, and at a reason that nobody knows", async () => {
    const details = { type: "refusal", category: "cyber", explanation: "not that" };
    const refused = await workWell([{ content: "no", stop: "refusal", details }]);
    expect(failureOf(refused)).toEqual({
      reason: "agent-refused",
      agent: "developer",
      detail: "cyber: not that",
    });
    const unknown = await workWell([{ content: "?", stop: "tired" }]);
    expect(failureOf(unknown)).toMatchObject({
      reason: "agent-went-nowhere",
      how: expect.stringContaining("tired"),
    });
  });

  test("ends after so many turns, and says so before", async () => {
    const worked = await workWell((_, index) => calling(["read", { path: `${index}.txt` }]), {
      agent: { maxTurns: 8 },
    });
    expect(failureOf(worked)).toMatchObject({ reason: "agent-went-nowhere", how: "it used up its 8 turns" });
    expect(worked.server.asked.length).toBe(8);
    expect(JSON.stringify(worked.server.asked[3]?.body.messages.at(-1))).toContain("5 more answers");
  });

  test("ends when the time is up, and when nothing comes for too long", async () => {
    const slow = await workWell([calling(["bash", { command: "sleep 60" }])], { agent: { timeoutMs: 300 } });
    expect(failureOf(slow)).toEqual({
      reason: "agent-timed-out",
      agent: "developer",
      afterMs: 300,
      idle: false,
    });
    const silent = await workWell(() => ({ content: "x", after: { events: 1, what: "silence" } }), {
      agent: { idleTimeoutMs: 200 },
    });
    expect(failureOf(silent)).toEqual({
      reason: "agent-timed-out",
      agent: "developer",
      afterMs: 200,
      idle: true,
    });
    const alive = await workWell([{ ...reporting(), pings: { count: 12, everyMs: 60 } }], {
      agent: { idleTimeoutMs: 400 },
      bounds: { silenceMs: 400 },
    });
    expect([alive.outcome.kind, alive.server.asked.length]).toEqual(["answered", 1]);
    const working = await workWell([calling(["bash", { command: "sleep 0.6" }]), reporting()], {
      agent: { idleTimeoutMs: 300 },
    });
    expect(working.outcome.kind).toBe("answered");
  });

  test("ends in the middle of an answer, however much garbage is collected meanwhile", async () => {
    setFlagsFromString("--expose-gc");
    const collect: unknown = runInNewContext("gc");
    if (typeof collect !== "function") throw new Error("no garbage can be collected here");
    const collecting = setInterval(() => collect(), 20);
    onTestFinished(() => clearInterval(collecting));
    const half = { content: "x", after: { events: 1, what: "silence" as const } };
    const end = new AbortController();
    const onOutput = (): void => void setTimeout(() => end.abort(), 300);
    const stopped = await workWell([{ content: [{ type: "text", text: "I begin." }] }, half], {
      signal: end.signal,
      onOutput,
    });
    expect(failureOf(stopped)).toBe("interrupted");
    const silent = await workWell(() => half, { agent: { idleTimeoutMs: 1_500 } });
    expect(failureOf(silent)).toMatchObject({ reason: "agent-timed-out", idle: true });
  });
});

describe("An answer that is cut off", () => {
  const cut = { rawInput: '{"path":"half.txt","text":"abc', stop: "max_tokens" };
  const half = () => ({ ...cut, content: [call("write", {})] });

  test("is thrown away once, and asked for again with more room", async () => {
    const worked = await workWell([half(), reporting()]);
    expect(worked.outcome.kind).toBe("answered");
    const [first, second] = worked.server.asked.map(({ body }) => body);
    expect([first?.max_tokens, second?.max_tokens]).toEqual([limits.outputTokens, limits.outputTokensMost]);
    expect(second?.messages).toEqual(first?.messages);
    expect(existsSync(join(worked.place.lane, "half.txt"))).toBe(false);
  });

  test("then loses the call that is not whole, keeps the others, and is told to take smaller steps", async () => {
    const whole = call("bash", { command: "echo whole >> ran.txt" });
    const closed = { ...cut, rawInput: '{"path":"half.txt","text":"abc"}' };
    const worked = await workWell([
      half(),
      { stop: "max_tokens", content: [whole, call("write", { path: "half.txt", text: "abc" })] },
      { ...closed, content: [call("write", {})] },
      reporting(),
    ]);
    expect(worked.outcome.kind).toBe("answered");
    expect(existsSync(join(worked.place.lane, "half.txt"))).toBe(false);
    expect(await readFile(join(worked.place.lane, "ran.txt"), "utf8")).toBe("whole\n");
    expect(JSON.stringify(worked.server.asked[2]?.body.messages.at(-1))).toContain("smaller steps");
  });

  test("so many times in a row is the end", async () => {
    const worked = await workWell(() => half());
    expect(failureOf(worked)).toMatchObject({
      reason: "agent-went-nowhere",
      how: expect.stringContaining("cut off"),
    });
  });
});

describe("A model that goes in circles", () => {
  const again = () => calling(["read", { path: "missing.txt" }]);

  test("is warned at the third time, and ended at the fifth", async () => {
    const worked = await workWell(again);
    expect(failureOf(worked)).toMatchObject({
      reason: "agent-went-nowhere",
      how: expect.stringContaining("5 times"),
    });
    const warned = worked.server.asked.map(({ body }) =>
      resultsOf(body).some(({ text }) => text.includes("in a row")),
    );
    expect(warned).toEqual([false, false, false, true, true]);
  });

  test("is noticed by the calls of an answer together, too", async () => {
    const worked = await workWell(() => calling(["glob", { pattern: "a" }], ["glob", { pattern: "b" }]));
    expect(failureOf(worked)).toMatchObject({ reason: "agent-went-nowhere" });
    expect(worked.server.asked.length).toBe(limits.sameCallsEnd);
  });

  test("does not: the same call with another result, or another call between", async () => {
    const script = (_: unknown, index: number) => {
      if (index === 12) return reporting();
      const command = index < 6 ? "echo . >> n.txt; wc -l n.txt" : `echo ${index % 2}`;
      return calling(["bash", { command }]);
    };
    expect((await workWell(script)).outcome.kind).toBe("answered");
  });
});

describe("The key", () => {
  test("is in no file, no child's environment and no request's body", async () => {
    const command = "env; cat /proc/self/environ 2>/dev/null | tr '\\0' '\\n'";
    const worked = await workWell([calling(["bash", { command }]), reporting()], {
      agent: { env: ["ANTHROPIC_API_KEY", "OTHER"] },
      environment: { OTHER: "handed on", ANTHROPIC_AUTH_TOKEN: "other-token-0123456789" },
    });
    expect(worked.outcome.kind).toBe("answered");
    expect(worked.server.asked[0]?.headers["authorization"]).toBe(`Bearer ${key}`);
    const told = resultsOf(worked.server.asked[1]?.body as never)[0]?.text ?? ""; // the second request was made
    expect(told).toContain("OTHER=handed on");
    expect(told).not.toMatch(/ANTHROPIC_/);
    const files = ["prompt.md", "request.json", "report.json", "transcript.jsonl"];
    for (const name of files)
      expect(await readFile(join(worked.place.evidence, name), "utf8")).not.toContain(key);
    expect(JSON.stringify(worked.server.asked.map(({ body }) => body))).not.toContain(key);
  });

  test("is needed, and goes to an encrypted address or stays on this machine", async () => {
    const missing = await work([], { environment: { ANTHROPIC_API_KEY: " " } });
    expect(failureOf(missing)).toMatchObject({
      reason: "not-logged-in",
      detail: expect.stringContaining("ANTHROPIC_API_KEY"),
    });
    const token = await workWell([reporting()], {
      environment: { ANTHROPIC_API_KEY: "", ANTHROPIC_AUTH_TOKEN: "tok" },
    });
    expect(token.server.asked[0]?.headers["authorization"]).toBe("Bearer tok");
    const bad = await work([], { environment: { ANTHROPIC_API_KEY: "two\nlines" } });
    expect(failureOf(bad)).toMatchObject({ reason: "not-logged-in" });
    expect(JSON.stringify(bad.outcome)).not.toContain("lines");
    for (const url of ["http://example.com", "nowhere", "https://me:secret@example.com", "file:///tmp"]) {
      const refused = await work([], { environment: { ANTHROPIC_BASE_URL: url } });
      expect(failureOf(refused)).toMatchObject({ reason: "agent-cannot-start" });
    }
  });

  test("is taken out of what a model reads and writes about", async () => {
    const worked = await workWell([
      calling(["bash", { command: `echo ${key.slice(0, 12)}""${key.slice(12)}` }]),
      reporting({ summary: `it is ${key}` }),
    ]);
    expect(resultsOf(worked.server.asked[1]?.body as never)[0]?.text).toBe("[redacted ANTHROPIC_API_KEY]"); // the second request was made
    expect(worked.outcome).toMatchObject({ report: { summary: "it is [redacted ANTHROPIC_API_KEY]" } });
    expect(worked.transcript).not.toContain(key);
  });

  test("is shown to nobody, not even in half", async () => {
    const shown = (chars: number) => `${"x".repeat(chars)}${key}`;
    const place = await makePlace();
    await writeFile(join(place.lane, "wide.txt"), `${shown(limits.toolLineChars - 12)}\n`);
    const calls = calling(
      ["read", { path: "wide.txt" }],
      ["grep", { pattern: "xx" }],
      ["glob", { pattern: shown(170) }],
    );
    const worked = await workWell([calls, reporting()], { place });
    expect(worked.server.violations).toEqual([]);
    const seen = [
      ...worked.lines,
      worked.transcript,
      JSON.stringify(worked.server.asked[1]?.body.messages.at(-1)),
    ];
    for (const text of seen) expect(text).not.toContain(key.slice(0, 10));
  });
});
