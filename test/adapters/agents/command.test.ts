// Agents behind a command: what they are told, what is kept of them, and what their report may do to us.

import { existsSync } from "node:fs";
import { mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { createRedaction } from "../../../src/adapters/redaction/redaction.ts";
import { limits } from "../../../src/core/limits.ts";
import { ask, askProgram, commandPolicy, makePlace, toRequest } from "./requests.ts";

const good = JSON.stringify({ summary: "done it", usage: { inputTokens: 7, outputTokens: 3, costUsd: 0.5 } });
const writeGood = `fs.writeFileSync(report, ${JSON.stringify(good)});`;

describe("An agent", () => {
  test("that leaves a report has answered, with what it says about its usage", async () => {
    const { answer } = await askProgram(await makePlace(), writeGood);
    expect(answer.outcome).toMatchObject({
      kind: "answered",
      report: { stage: "develop", summary: "done it" },
    });
    expect(answer.usage).toMatchObject({
      inputTokens: 7,
      outputTokens: 3,
      costUsd: 0.5,
      costBasis: "reported",
    });
    expect(answer.durationMs).toBeGreaterThan(0);
  });

  test("gets the protocol's variables, the git identity, and nothing else", async () => {
    const place = await makePlace();
    const { answer, lines } = await askProgram(
      place,
      `console.log(JSON.stringify({ ...process.env, cwd: process.cwd() })); ${writeGood}`,
      { attempt: 3 },
      {
        environment: {
          PATH: process.env["PATH"],
          HOME: "/home/somebody",
          SECRET_KEY: "a-secret-of-the-builder",
        },
      },
    );
    const { EXECUTE_PRD_REQUEST, EXECUTE_PRD_REPORT, EXECUTE_PRD_DISPATCH, PATH, ...seen } = JSON.parse(
      lines[0] ?? "",
    );
    expect(answer.outcome.kind).toBe("answered");
    expect(PATH).toBe(process.env["PATH"]);
    expect(EXECUTE_PRD_DISPATCH).toMatch(/^test-.+\.d1$/);
    expect(dirname(EXECUTE_PRD_REQUEST)).toBe(dirname(EXECUTE_PRD_REPORT));
    expect(seen).toEqual({
      cwd: place.lane,
      HOME: "/home/somebody",
      CI: "1",
      GIT_AUTHOR_NAME: "agent d1",
      EXECUTE_PRD_ROLE: "developer",
      EXECUTE_PRD_STAGE: "develop",
      EXECUTE_PRD_SLUG: "feature-x",
      EXECUTE_PRD_TASK_ID: "task-1",
      EXECUTE_PRD_ATTEMPT: "3",
    });
  });

  test("of a run stage gets an empty task id", async () => {
    const { lines } = await askProgram(
      await makePlace(),
      "console.log(JSON.stringify([process.env.EXECUTE_PRD_TASK_ID]));",
      { stage: "recon", role: "orchestrator", taskId: null },
    );
    expect(lines).toEqual(['[""]']);
  });

  test("finds the prompt on stdin, the request and its files in a folder of its own that is gone afterwards", async () => {
    const place = await makePlace();
    await mkdir(join(place.root, "checkout", "dev"), { recursive: true });
    await writeFile(join(place.root, "checkout", "dev", "plan.md"), "the plan");
    await writeFile(join(place.root, "checkout", "both.md"), "of the checkout");
    await writeFile(join(place.lane, "both.md"), "of the lane");
    const { lines } = await askProgram(
      place,
      `const folder = report.replace(/\\/[^/]*$/, "");
       const request = JSON.parse(fs.readFileSync(process.env.EXECUTE_PRD_REQUEST, "utf8"));
       const [copy, ...others] = request.handedOver;
       console.log(JSON.stringify({ folder, others, mode: fs.statSync(folder).mode & 0o777, request,
         plan: fs.readFileSync(copy.path, "utf8"), planMode: fs.statSync(copy.path).mode & 0o777, prompt: fs.readFileSync(0, "utf8") }));`,
      { files: ["dev/plan.md", "both.md", "nowhere.md"] },
    );
    const seen = JSON.parse(lines.join(""));
    expect(seen).toMatchObject({ mode: 0o700, plan: "the plan", planMode: 0o444, others: [] });
    expect(seen.request).toMatchObject({
      stage: "develop",
      task: { id: "task-1" },
      reportSchema: { type: "object" },
    });
    expect(seen.prompt).toContain("Do the task.");
    expect(seen.prompt).toContain(`- dev/plan.md: ${seen.folder}/files/dev/plan.md`);
    expect(seen.folder.startsWith(place.root)).toBe(false);
    expect(existsSync(seen.folder)).toBe(false);
  });

  test("is sent, given and kept nothing with a secret in it", async () => {
    const place = await makePlace();
    const key = "f3b9-only-known-by-its-name";
    await mkdir(join(place.root, "checkout"), { recursive: true });
    await writeFile(join(place.root, "checkout", "notes.md"), `the key is ${key}`);
    const { answer, lines } = await askProgram(
      place,
      `const request = fs.readFileSync(process.env.EXECUTE_PRD_REQUEST, "utf8");
       const notes = fs.readFileSync(JSON.parse(request).handedOver[0].path, "utf8");
       const all = [request, notes, fs.readFileSync(0, "utf8")].join();
       const key = ["f3b9", "only-known-by-its-name"].join("-");
       console.log(all.includes(key), notes, key);
       fs.writeFileSync(report, JSON.stringify({ summary: "x".repeat(3_985) + key }));`,
      { files: ["notes.md"], prompt: `use ${key}\n`, request: { [key]: [`use ${key}`] } },
      { redaction: createRedaction({ A_TOKEN: key }) },
    );
    expect(lines).toEqual(["false the key is [redacted A_TOKEN] [redacted A_TOKEN]"]);
    expect(JSON.stringify(answer)).not.toContain("f3b9");
    for (const name of ["prompt.md", "request.json", "report.json", "transcript.jsonl"]) {
      const kept = await readFile(join(place.evidence, name), "utf8");
      expect(kept, name).toContain("[redacted A_TOKEN]");
      expect(kept, name).not.toContain(key);
    }
  });

  test("is given no file through a link, and none from outside the checkout", async () => {
    const place = await makePlace();
    const checkout = join(place.root, "checkout");
    await mkdir(join(checkout, "folder"), { recursive: true });
    await writeFile(join(place.root, "secret"), "s");
    await symlink(join(place.root, "secret"), join(checkout, "link"));
    await symlink(place.root, join(checkout, "up"));
    const files = ["link", "up/secret", "../secret", join(place.root, "secret"), "folder"];
    await askProgram(place, writeGood, { files });
    const kept = JSON.parse(await readFile(join(place.evidence, "request.json"), "utf8"));
    expect(kept.handedOver).toEqual([]);
    expect(kept.notHandedOver).toEqual(['"folder" could not be handed over: it is not a regular file']);
  });

  test("works in a drop folder outside the repository even when the temporary folder lies in it", async () => {
    const place = await makePlace();
    const inside = join(place.root, "repository", "tmp");
    await mkdir(inside, { recursive: true });
    const before = process.env["TMPDIR"];
    process.env["TMPDIR"] = inside;
    try {
      expect(tmpdir()).toBe(inside);
      const { answer, lines } = await askProgram(place, `console.log(report); ${writeGood}`);
      expect(answer.outcome.kind).toBe("answered");
      expect(lines[0]?.startsWith(place.root)).toBe(false);
    } finally {
      if (before === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = before;
    }
  });

  test("leaves prompt, request, report and transcript in the run folder", async () => {
    const place = await makePlace();
    await askProgram(place, `console.log("working"); ${writeGood}`);
    const kept = (name: string) => readFile(join(place.evidence, name), "utf8");
    expect(await kept("prompt.md")).toBe("Do the task.\n");
    expect(JSON.parse(await kept("request.json"))).toMatchObject({ stage: "develop" });
    expect(await kept("report.json")).toBe(good);
    expect(JSON.parse(await kept("transcript.jsonl"))).toMatchObject({ stream: "stdout", text: "working" });
  });

  test("that reviews leaves review.json beside the developer's report", async () => {
    const place = await makePlace();
    const review = {
      verdict: "approved",
      score: 90,
      criteria: [{ index: 1, verdict: "met", where: "a" }],
      findings: [],
    };
    const { answer } = await askProgram(
      place,
      `fs.writeFileSync(report, ${JSON.stringify(JSON.stringify(review))});`,
      {
        stage: "review",
        role: "reviewer",
        evidence: { folder: "attempts/task-1/1", prefix: "review-" },
      },
    );
    expect(answer.outcome).toMatchObject({ kind: "answered", report: { stage: "review", score: 90 } });
    expect(JSON.parse(await readFile(join(place.evidence, "review.json"), "utf8"))).toEqual(review);
    expect(existsSync(join(place.evidence, "review-prompt.md"))).toBe(true);
    expect(existsSync(join(place.evidence, "review-report.json"))).toBe(false);
  });

  test("of another stage leaves its report under its prefix", async () => {
    const place = await makePlace();
    await askProgram(place, 'fs.writeFileSync(report, "{}");', {
      stage: "precheck",
      role: "reviewer",
      evidence: { folder: "attempts/task-1/1", prefix: "precheck-1-" },
    });
    expect(await readFile(join(place.evidence, "precheck-1-report.json"), "utf8")).toBe("{}");
  });

  test("cannot be asked when its evidence cannot be kept", async () => {
    const place = await makePlace();
    await mkdir(dirname(place.evidence), { recursive: true });
    await writeFile(place.evidence, "a file where the folder should be");
    const { answer } = await askProgram(place, `fs.writeFileSync("started", ""); ${writeGood}`);
    expect(answer.outcome).toMatchObject({ kind: "failed", failure: { reason: "storage-failed" } });
    expect(existsSync(join(place.lane, "started"))).toBe(false);
  });
});

describe("An agent that has reported and hangs", () => {
  const hang = "setInterval(() => {}, 1000);";

  test("is done after a grace", async () => {
    const lines: string[] = [];
    const onOutput = (line: string) => lines.push(line);
    const { answer } = await askProgram(await makePlace(), `${writeGood} ${hang}`, {}, { onOutput });
    expect(answer.outcome).toMatchObject({ kind: "answered" });
    expect(answer.usage?.inputTokens).toBe(7);
    expect(answer.durationMs).toBeLessThan(commandPolicy.timeoutMs / 2);
    expect(lines).toContain("[it had reported and did not end]");
  });

  test("is done where silence ends it before", async () => {
    const agent = { ...commandPolicy, idleTimeoutMs: 700 };
    const { answer } = await askProgram(await makePlace(), `${writeGood} ${hang}`, { agent });
    expect(answer.outcome).toMatchObject({ kind: "answered" });
  });

  test("is waited for as long as it works", async () => {
    const source = `${writeGood} setTimeout(() => { fs.writeFileSync("late.txt", "x"); process.exit(0); }, 8000); setInterval(() => fs.writeFileSync("tick.txt", String(Date.now())), 500);`;
    const place = await makePlace();
    const { answer } = await askProgram(place, source);
    expect(answer.outcome).toMatchObject({ kind: "answered" });
    expect(existsSync(join(place.lane, "late.txt"))).toBe(true);
  });

  test("and whose report cannot be used has its whole time", async () => {
    const agent = { ...commandPolicy, timeoutMs: limits.exitGraceMs + 3_000 };
    const { answer } = await askProgram(await makePlace(), `fs.writeFileSync(report, "{"); ${hang}`, {
      agent,
    });
    expect(answer.outcome).toMatchObject({ kind: "failed", failure: { reason: "agent-timed-out" } });
  });
});

describe("A dispatch fails", () => {
  const failure = async (...asked: Parameters<typeof askProgram>) => {
    const { outcome } = (await askProgram(...asked)).answer;
    return outcome.kind === "failed" ? outcome.failure : outcome;
  };

  test("when the agent's program does not exist", async () => {
    const place = await makePlace();
    const agent = { ...commandPolicy, command: ["no-such-agent-x", "--fast"] };
    const { answer } = await ask(place, toRequest(place, { agent }));
    expect(answer.outcome).toEqual({
      kind: "failed",
      failure: {
        reason: "agent-cannot-start",
        agent: "developer",
        command: "no-such-agent-x --fast",
        detail: 'the program "no-such-agent-x" was not found',
      },
    });
  });

  test("when the exit code is not 0, whatever the report says; its usage still counts", async () => {
    const { answer } = await askProgram(
      await makePlace(),
      `${writeGood} console.log("bad end"); process.exitCode = 9;`,
    );
    expect(answer.outcome).toEqual({
      kind: "failed",
      failure: { reason: "agent-exited", agent: "developer", exitCode: 9, signal: null, tail: "bad end" },
    });
    expect(answer.usage?.inputTokens).toBe(7);
  });

  test("when the time is up, although the report lies there", async () => {
    const agent = { ...commandPolicy, timeoutMs: 800 };
    expect(await failure(await makePlace(), `${writeGood} setInterval(() => {}, 1000);`, { agent })).toEqual({
      reason: "agent-timed-out",
      agent: "developer",
      afterMs: 800,
      idle: false,
    });
  });

  test("when nothing is heard for the idle time", async () => {
    const agent = { ...commandPolicy, idleTimeoutMs: 700 };
    const source = 'process.on("SIGTERM", () => process.exit(0)); setInterval(() => {}, 1000);';
    expect(await failure(await makePlace(), source, { agent })).toMatchObject({
      reason: "agent-timed-out",
      afterMs: 700,
      idle: true,
    });
  });

  test("when there is no report, also when the dispatch before left one", async () => {
    const place = await makePlace();
    expect((await askProgram(place, writeGood)).answer.outcome.kind).toBe("answered");
    expect(await failure(place, "")).toEqual({
      reason: "report-missing",
      agent: "developer",
      stage: "develop",
    });
  });

  test("when the report is no JSON or another stage's", async () => {
    expect(await failure(await makePlace(), 'fs.writeFileSync(report, "I am done.");')).toMatchObject({
      reason: "report-invalid",
    });
    expect(await failure(await makePlace(), writeGood, { stage: "review" })).toMatchObject({
      reason: "report-invalid",
    });
  });

  test.each([
    ["a pipe", 'execFileSync("mkfifo", [report]);', "it is not a regular file"],
    ["a folder", "fs.mkdirSync(report);", "it is not a regular file"],
    [
      "a link to a file",
      `fs.writeFileSync("mine", "{}"); fs.symlinkSync(process.cwd() + "/mine", report);`,
      "it is a link",
    ],
    ["a link to a device without end", 'fs.symlinkSync("/dev/zero", report);', "it is a link"],
    [
      "a second name of a file",
      'fs.writeFileSync("mine", "{}"); fs.linkSync("mine", report + "x"); fs.renameSync(report + "x", report);',
      "it has more than one name (a hard link)",
    ],
    [
      "too large",
      `fs.writeFileSync(report, " ".repeat(${limits.reportBytes + 1}));`,
      `it is larger than ${limits.reportBytes} bytes`,
    ],
    [
      "in a folder that took the place of the one given",
      `const folder = report.replace(/\\/[^/]*$/, ""); fs.renameSync(folder, folder + "-moved"); fs.mkdirSync(folder); ${writeGood} fs.rmSync(folder + "-moved", { recursive: true });`,
      "its folder was replaced",
    ],
  ])("when the report is %s", async (_what, source, problem) => {
    const place = await makePlace();
    expect(await failure(place, source)).toMatchObject({ reason: "report-invalid", problems: [problem] });
    expect(existsSync(join(place.evidence, "report.json"))).toBe(false);
  });
});

describe("An agent that is stopped", () => {
  test("counts as interrupted, not as failed", async () => {
    const stop = new AbortController();
    const { answer } = await askProgram(
      await makePlace(),
      `${writeGood} console.log("ready"); setInterval(() => {}, 1000);`,
      {},
      { signal: stop.signal, onOutput: () => stop.abort() },
    );
    expect(answer.outcome).toEqual({ kind: "interrupted" });
  });
});

test("A drop folder that an agent made unreadable is removed all the same.", async () => {
  const { lines } = await askProgram(
    await makePlace(),
    `const folder = report.replace(/\\/[^/]*$/, "");
     console.log(folder);
     fs.mkdirSync(folder + "/deep/er", { recursive: true });
     fs.writeFileSync(folder + "/deep/er/file", "x");
     fs.chmodSync(folder + "/deep/er", 0); fs.chmodSync(folder + "/deep", 0); fs.chmodSync(folder, 0o500);`,
  );
  await expect(stat(lines[0] ?? "")).rejects.toThrow("ENOENT");
});

describe("A failure of its service that an agent says", () => {
  const say = (failure: object) =>
    `fs.writeFileSync(report, ${JSON.stringify(JSON.stringify({ failure }))});`;

  test.each([0, 7])("counts, and not that it exits with %d", async (code) => {
    const said = say({ kind: "rate-limited", message: "used up", retryAfterMs: 60_000 });
    const before = Date.now();
    const { answer } = await askProgram(await makePlace(), `${said} process.exit(${code});`);
    expect(answer.outcome).toMatchObject({ failure: { reason: "rate-limited", detail: "used up" } });
    const { outcome } = answer;
    const end =
      outcome.kind === "failed" && outcome.failure.reason === "rate-limited" ? outcome.failure.resetAtMs : 0;
    expect(Number(end)).toBeGreaterThanOrEqual(before + 60_000);
    expect(Number(end)).toBeLessThanOrEqual(Date.now() + 60_000);
  });

  test("is a report that cannot be used where it is misspelt, and nothing where the agent failed besides", async () => {
    const misspelt = say({ kind: "rate-limit", message: "used up" });
    const { answer } = await askProgram(await makePlace(), misspelt);
    expect(answer.outcome).toMatchObject({ failure: { reason: "report-invalid" } });
    const { answer: exited } = await askProgram(await makePlace(), `${misspelt} process.exit(7);`);
    expect(exited.outcome).toMatchObject({ failure: { reason: "agent-exited", exitCode: 7 } });
  });
});
