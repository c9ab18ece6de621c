// The scripted agent: plays its steps in the lane and nowhere else, and is judged like any other.

import { existsSync } from "node:fs";
import { mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { AgentRequest } from "../../../src/ports.ts";
import { ask, commandPolicy, makePlace, type Place, toRequest } from "./requests.ts";

const report = { summary: "done it" };

async function askScript(
  place: Place,
  script: unknown,
  change: Partial<AgentRequest> = {},
  options: Parameters<typeof ask>[2] = {},
) {
  await writeFile(
    join(place.root, "steps.json"),
    typeof script === "string" ? script : JSON.stringify(script),
  );
  const agent = { ...commandPolicy, backend: "scripted" as const, script: "steps.json", ...change.agent };
  return ask(place, toRequest(place, { ...change, agent }), options);
}

async function failureOf(place: Place, script: unknown, change: Partial<AgentRequest> = {}) {
  const { answer } = await askScript(place, script, change);
  return answer.outcome.kind === "failed" ? answer.outcome.failure : answer.outcome;
}

describe("A scripted agent", () => {
  test("writes, copies, deletes, runs and speaks in the lane, then reports", async () => {
    const place = await makePlace();
    await writeFile(join(place.lane, "old.txt"), "old");
    const { answer, lines } = await askScript(place, {
      steps: [
        {
          do: [
            { write: "deep/new.txt", text: "new" },
            {
              write: "tool.sh",
              text: "#!/bin/sh\necho from the tool $EXECUTE_PRD_ROLE $GIT_AUTHOR_NAME\n",
              executable: true,
            },
            { copy: "old.txt", to: "copies/old.txt" },
            { delete: "old.txt" },
            { run: ["./tool.sh"] },
            { say: "finished" },
          ],
          report: { ...report, usage: { inputTokens: 1, outputTokens: 2 } },
        },
      ],
    });
    expect(answer.outcome).toMatchObject({ kind: "answered", report: { summary: "done it" } });
    expect(answer.usage).toMatchObject({ inputTokens: 1, outputTokens: 2, costUsd: null });
    expect(lines).toEqual(["from the tool developer agent d1", "finished"]);
    expect(await readFile(join(place.lane, "deep/new.txt"), "utf8")).toBe("new");
    expect(await readFile(join(place.lane, "copies/old.txt"), "utf8")).toBe("old");
    expect(existsSync(join(place.lane, "old.txt"))).toBe(false);
    const kept = (name: string) => readFile(join(place.evidence, name), "utf8");
    expect(await kept("prompt.md")).toBe("Do the task.\n");
    expect(await kept("transcript.jsonl")).toContain('"text":"finished"');
    expect(JSON.parse(await kept("report.json"))).toMatchObject(report);
  });

  test("plays the first step that fits the request", async () => {
    const script = {
      steps: [
        { when: { stage: "review" }, report: null },
        { when: { taskId: "task-2" }, report: { summary: "other task" } },
        {
          when: { stage: "develop", role: "developer", taskId: "task-1", attempt: 2 },
          report: { summary: "second" },
        },
        { when: { taskId: "task-1" }, report: { summary: "first" } },
        { report: { summary: "never reached" } },
      ],
    };
    const place = await makePlace();
    const summaryOf = async (attempt: number) => (await askScript(place, script, { attempt })).answer.outcome;
    expect(await summaryOf(1)).toMatchObject({ report: { summary: "first" } });
    expect(await summaryOf(2)).toMatchObject({ report: { summary: "second" } });
    expect(await summaryOf(3)).toMatchObject({ report: { summary: "first" } });
  });

  test("gives the stage's report of `otherwise` when no step fits", async () => {
    const script = { steps: [], otherwise: { recon: { tasks: [] }, develop: report } };
    const outcome = (await askScript(await makePlace(), script)).answer.outcome;
    expect(outcome).toMatchObject({ kind: "answered", report: { summary: "done it" } });
  });

  test("without a fitting step leaves no report and says which request it was", async () => {
    const place = await makePlace();
    const { answer, lines } = await askScript(place, { steps: [{ when: { stage: "review" } }] });
    expect(answer.outcome).toMatchObject({ kind: "failed", failure: { reason: "report-missing" } });
    expect(lines).toEqual(['no step of the script fits stage develop of task "task-1", attempt 1']);
  });

  test("fails like any agent: exit code, no report, a bad report", async () => {
    const place = await makePlace();
    const say = [{ say: "oh" }];
    expect(await failureOf(place, { steps: [{ do: say, report, exit: 4 }] })).toEqual({
      reason: "agent-exited",
      agent: "developer",
      exitCode: 4,
      signal: null,
      tail: "oh",
    });
    expect(await failureOf(place, { steps: [{ report: null }] })).toMatchObject({ reason: "report-missing" });
    expect(await failureOf(place, { steps: [{}] })).toMatchObject({ reason: "report-missing" });
    expect(await failureOf(place, { steps: [{ report: { sum: 1 } }] })).toMatchObject({
      reason: "report-invalid",
    });
    expect(await failureOf(place, { steps: [{ report: "text" }] })).toMatchObject({
      reason: "report-invalid",
    });
    expect(await failureOf(place, { steps: [{ do: [{ run: ["false"] }], report }] })).toMatchObject({
      reason: "agent-exited",
      exitCode: 1,
      tail: '{"run":["false"]}: exit code 1',
    });
  });

  test("stops waiting when its time is up", async () => {
    const agent = { ...commandPolicy, backend: "scripted" as const, script: "steps.json", timeoutMs: 200 };
    const place = await makePlace();
    expect(await failureOf(place, { steps: [{ do: [{ wait: 600_000 }], report }] }, { agent })).toEqual({
      reason: "agent-timed-out",
      agent: "developer",
      afterMs: 200,
      idle: false,
    });
  });

  test.each([
    ["waits", { wait: 600_000 }],
    ["runs a program", { run: ["sleep", "600"] }],
  ])("is interrupted while it %s", async (_what, action) => {
    const stop = new AbortController();
    const script = { steps: [{ do: [{ say: "ready" }, action, { write: "after", text: "" }], report }] };
    const place = await makePlace();
    const { answer } = await askScript(
      place,
      script,
      {},
      { signal: stop.signal, onOutput: () => setImmediate(() => stop.abort()) },
    );
    expect(answer.outcome).toEqual({ kind: "interrupted" });
    expect(existsSync(join(place.lane, "after"))).toBe(false);
  });
});

describe("A script is refused", () => {
  test.each([
    ["a way up", { write: "../out", text: "x" }],
    ["a way up in the middle", { write: "a/../../out", text: "x" }],
    ["a way up with backslashes", { write: "a\\..\\..\\out", text: "x" }],
    ["an absolute path", { write: "/tmp/out", text: "x" }],
    ["an empty path", { delete: "" }],
    ["a way up to copy from", { copy: "../secret", to: "a" }],
    ["a way up to copy to", { copy: "a", to: "../b" }],
    ["an unknown action", { remove: "a" }],
    ["an unknown key", { write: "a", text: "x", mode: 1 }],
    ["no program", { run: [] }],
    ["a negative wait", { wait: -1 }],
  ])("with %s", async (_what, action) => {
    const place = await makePlace();
    const failure = await failureOf(place, {
      steps: [{ do: [{ write: "first", text: "" }, action], report }],
    });
    expect(failure).toMatchObject({ reason: "agent-cannot-start", command: "steps.json" });
    expect(failure).toMatchObject({ detail: expect.stringContaining("steps[0].do[1]") });
    expect(existsSync(join(place.lane, "first"))).toBe(false);
  });

  test("with every mistake named at once", async () => {
    const script = { steps: [{ when: { stage: "develope" }, exit: 300 }], otherwize: {} };
    const failure = await failureOf(await makePlace(), script);
    const { detail } = failure as { detail: string }; // what is missing fails below
    expect(detail).toContain("steps[0].when.stage");
    expect(detail).toContain("steps[0].exit");
    expect(detail).toContain("otherwize");
  });

  test("when it is no JSON, missing, or not named", async () => {
    const place = await makePlace();
    expect(await failureOf(place, "{ steps }")).toMatchObject({
      detail: expect.stringContaining("valid JSON"),
    });
    const agent = { ...commandPolicy, backend: "scripted" as const };
    expect(await failureOf(place, {}, { agent: { ...agent, script: "none.json" } })).toMatchObject({
      detail: expect.stringContaining("ENOENT"),
    });
    expect(await failureOf(place, {}, { agent: { ...agent, script: null } })).toMatchObject({
      detail: expect.stringContaining('needs "script"'),
    });
  });
});

describe("A scripted agent never leaves the lane through a link", () => {
  test.each([
    ["a linked folder", { write: "out/file", text: "x" }, 'path "out/file" leads through the link "out"'],
    [
      "a linked file",
      { write: "to-secret", text: "x" },
      'path "to-secret" leads through the link "to-secret"',
    ],
    [
      "a link to copy from",
      { copy: "to-secret", to: "stolen" },
      'path "to-secret" leads through the link "to-secret"',
    ],
    [
      "a folder link to delete in",
      { delete: "out/secret" },
      'path "out/secret" leads through the link "out"',
    ],
    ["itself", { delete: "." }, "the working directory itself cannot be deleted"],
  ])("by %s", async (_what, action, problem) => {
    const place = await makePlace();
    const outside = join(place.root, "outside");
    await mkdir(outside);
    await writeFile(join(outside, "secret"), "as it was");
    await symlink(outside, join(place.lane, "out"));
    await symlink(join(outside, "secret"), join(place.lane, "to-secret"));
    const failure = await failureOf(place, { steps: [{ do: [action], report }] });
    expect(failure).toMatchObject({
      reason: "agent-exited",
      exitCode: 1,
      tail: expect.stringContaining(problem),
    });
    expect(await readFile(join(outside, "secret"), "utf8")).toBe("as it was");
    expect(existsSync(join(outside, "file"))).toBe(false);
    expect(existsSync(join(place.lane, "stolen"))).toBe(false);
    expect((await stat(place.lane)).isDirectory()).toBe(true);
  });
});
