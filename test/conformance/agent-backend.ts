// What every backend of agents does, whatever program or service is behind it.
//
// A backend joins by saying how its agent, or the stand-in of its service, is made to play each part.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createRedaction } from "../../src/adapters/redaction/redaction.ts";
import type { AgentPolicy } from "../../src/core/policy.ts";
import type { AgentRequest } from "../../src/ports.ts";
import {
  type Asked,
  ask,
  commandPolicy,
  makePlace,
  type Place,
  toRequest,
} from "../adapters/agents/requests.ts";
import { readPid, until, untilGone } from "../adapters/process/programs.ts";

/** What the agent shall do in its one dispatch. */
export type Play =
  /** Ends well with this report. `usage`: what its model counted. */
  | { readonly kind: "report"; readonly report: object; readonly usage?: TokensUsed }
  /** Ends well without a report, also where it is asked for it once more. */
  | { readonly kind: "nothing" }
  /** Starts a process that writes its number to the file, and never comes to an end. */
  | { readonly kind: "hang"; readonly pidFile: string }
  /** Lets a process of its own write `{ env, commandLine }` to the file, then reports. */
  | { readonly kind: "look"; readonly file: string; readonly report: object }
  | { readonly kind: "limit"; readonly resetAtMs: number }
  | { readonly kind: "login" };

export interface TokensUsed {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export interface BackendSubject {
  readonly backend: AgentPolicy["backend"];
  /** Parts that it cannot play, as its program has no words for them; a test that is named so says it. */
  readonly cannot?: readonly ("limit" | "limit end" | "login" | "usage")[];
  make(place: Place, play: Play): Promise<MadeAgent>;
}

interface MadeAgent {
  readonly agent: Partial<AgentPolicy>;
  /** Of the builder, beside PATH and HOME: the address of a stand-in, a key for it. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Source of the process that hangs, for the makers. */
export function hangingSource(pidFile: string): string {
  return `require("node:fs").writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); setInterval(() => {}, 60_000);`;
}

/** Source of the process that looks around, for the makers. */
export function lookingSource(file: string): string {
  return `require("node:fs").writeFileSync(${JSON.stringify(file)}, JSON.stringify({ env: process.env, commandLine: [...process.execArgv, ...process.argv] }));`;
}

const developed = { summary: "done it", signals: ["one"] };
const reviewed = {
  verdict: "iterate",
  score: 40,
  findings: [{ severity: "major", problem: "wrong", fix: "do" }],
};

const secret = "f3b9-only-known-by-its-name";

const evidence = ["prompt.md", "request.json", "transcript.jsonl"];

export function agentBackendConformance(subject: BackendSubject): void {
  const { backend, cannot = [] } = subject;

  async function run(
    play: Play,
    change: {
      place?: Place;
      agent?: Partial<AgentPolicy>;
      request?: Partial<AgentRequest>;
      signal?: AbortSignal;
    } = {},
  ): Promise<Asked & { place: Place }> {
    const place = change.place ?? (await makePlace());
    const made = await subject.make(place, play);
    const agent: AgentPolicy = { ...commandPolicy, backend, ...made.agent, ...change.agent };
    const environment = { PATH: process.env["PATH"], HOME: place.root, A_TOKEN: secret, ...made.environment };
    const asked = await ask(place, toRequest(place, { ...change.request, agent }), {
      environment,
      redaction: createRedaction(environment),
      ...(change.signal && { signal: change.signal }),
    });
    return { ...asked, place };
  }

  test("a report is the answer, and is kept beside what was asked and what was said", async () => {
    const { answer, place } = await run({ kind: "report", report: developed });
    expect(answer.outcome).toMatchObject({
      kind: "answered",
      report: { stage: "develop", summary: "done it" },
    });
    expect(answer.durationMs).toBeGreaterThanOrEqual(0);
    for (const name of evidence) expect(existsSync(join(place.evidence, name)), name).toBe(true);
    const kept = JSON.parse(await readFile(join(place.evidence, "report.json"), "utf8"));
    expect(kept).toMatchObject(developed);
    expect(await readFile(join(place.evidence, "prompt.md"), "utf8")).toContain("Do the task.");
  });

  test("a review is read as one", async () => {
    const request = { stage: "review", role: "reviewer" } as const;
    const { answer } = await run({ kind: "report", report: reviewed }, { request });
    expect(answer.outcome).toMatchObject({ kind: "answered", report: { stage: "review", score: 40 } });
  });

  test("no report is a failure of its own", async () => {
    const { answer, place } = await run({ kind: "nothing" });
    expect(answer.outcome).toMatchObject({
      failure: { reason: "report-missing", agent: "developer", stage: "develop" },
    });
    for (const name of evidence) expect(existsSync(join(place.evidence, name)), name).toBe(true);
  });

  test("a report of the wrong shape is none, and what is wrong with it is said", async () => {
    const { answer } = await run({ kind: "report", report: { summary: 7 } });
    expect(answer.outcome).toMatchObject({
      failure: { reason: "report-invalid", problems: [expect.stringContaining("summary")] },
    });
  });

  test("one that is interrupted ends soon, and no process of it is left", async () => {
    const place = await makePlace();
    const pidFile = join(place.root, "pid");
    const abort = new AbortController();
    const running = run({ kind: "hang", pidFile }, { place, signal: abort.signal });
    const pid = await readPid(pidFile);
    abort.abort();
    expect((await running).answer.outcome).toEqual({ kind: "interrupted" });
    await untilGone(pid);
  });

  test("one that is interrupted before it begins does not begin", async () => {
    const place = await makePlace();
    const pidFile = join(place.root, "pid");
    const { answer } = await run({ kind: "hang", pidFile }, { place, signal: AbortSignal.abort() });
    expect(answer.outcome).toEqual({ kind: "interrupted" });
    expect(existsSync(pidFile)).toBe(false);
  });

  test("one that takes longer than its time is ended, and no process of it is left", async () => {
    const place = await makePlace();
    const pidFile = join(place.root, "pid");
    const { answer } = await run({ kind: "hang", pidFile }, { place, agent: { timeoutMs: 1_500 } });
    expect(answer.outcome).toMatchObject({
      failure: { reason: "agent-timed-out", afterMs: 1_500, idle: false },
    });
    await untilGone(await readPid(pidFile));
  });

  test("its processes see neither the builder's secrets nor, among their arguments, the prompt", async () => {
    const place = await makePlace();
    const file = join(place.root, "seen.json");
    const { answer } = await run({ kind: "look", file, report: developed }, { place });
    expect(answer.outcome.kind).toBe("answered");
    const { env, commandLine } = JSON.parse(await until(() => readFile(file, "utf8").catch(() => null)));
    expect(Object.keys(env)).not.toContain("A_TOKEN");
    expect(Object.values(env)).not.toContain(secret);
    expect(env["CI"]).toBe("1");
    expect(env["EXECUTE_PRD_DISPATCH"]).toMatch(/\.d1$/);
    expect(commandLine.join(" ")).not.toContain("Do the task.");
  });

  test("a secret that it says is nowhere in what is kept and told", async () => {
    const report = { summary: `the key is ${secret}` };
    const { answer, lines, place } = await run({ kind: "report", report });
    expect(answer.outcome.kind).toBe("answered");
    expect(JSON.stringify([answer, lines])).not.toContain("f3b9");
    for (const name of [...evidence, "report.json"]) {
      expect(await readFile(join(place.evidence, name), "utf8"), name).not.toContain(secret);
    }
  });

  if (!cannot.includes("usage")) {
    test("what its model counted comes with the answer", async () => {
      const { answer } = await run({
        kind: "report",
        report: developed,
        usage: { inputTokens: 7, outputTokens: 3 },
      });
      expect(answer.usage).toMatchObject({ inputTokens: 7, outputTokens: 3 });
      expect(answer.usage?.costBasis === "unknown").toBe(answer.usage?.costUsd === null);
    });
  } else test("says nothing of what its model counted", () => {});

  if (!cannot.includes("limit")) {
    const isEndSaid = !cannot.includes("limit end");
    test(`a limit is told ${isEndSaid ? "with" : "without"} its end`, async () => {
      const resetAtMs = Math.ceil(Date.now() / 1_000) * 1_000 + 3_600_000;
      const { answer } = await run({ kind: "limit", resetAtMs });
      expect(answer.outcome).toMatchObject({ failure: { reason: "rate-limited", agent: "developer" } });
      const { outcome } = answer;
      const told =
        outcome.kind === "failed" && outcome.failure.reason === "rate-limited" && outcome.failure.resetAtMs;
      if (isEndSaid) expect(Math.abs(Number(told) - resetAtMs)).toBeLessThan(60_000);
      else expect(told).toBeNull();
    });
  } else test("has no words for a limit", () => {});

  if (!cannot.includes("login")) {
    test("a missing login is told as one", async () => {
      const { answer } = await run({ kind: "login" });
      expect(answer.outcome).toMatchObject({ failure: { reason: "not-logged-in", agent: "developer" } });
    });
  } else test("has no words for a missing login", () => {});
}
