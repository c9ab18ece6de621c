// The runner of agent programs, with small programs that say what the real ones said, and worse.

import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createRedaction } from "../../../src/adapters/redaction/redaction.ts";
import { limits } from "../../../src/core/limits.ts";
import type { AgentPolicy } from "../../../src/core/policy.ts";
import type { AgentRequest } from "../../../src/ports.ts";
import { isAlive, until, writeProgram } from "../process/programs.ts";
import { fixtureText } from "./cli-fixtures.ts";
import { type Asked, ask, commandPolicy, makePlace, type Place, toRequest } from "./requests.ts";

const init = { type: "system", subtype: "init", session_id: "s-1", model: "model-1" };
const done = {
  type: "result",
  subtype: "success",
  is_error: false,
  result: "Done.",
  structured_output: { summary: "did it" },
};

/** `say` prints lines of JSON; `input` is what came on stdin. */
async function askClaude(
  place: Place,
  source: string,
  change: {
    agent?: Partial<AgentPolicy>;
    request?: Partial<AgentRequest>;
    options?: Parameters<typeof ask>[2];
  } = {},
): Promise<Asked> {
  const command = await writeProgram(
    place.root,
    "claude",
    `import * as fs from "node:fs";
     import { spawn } from "node:child_process";
     const input = fs.readFileSync(0, "utf8");
     const args = process.argv.slice(2);
     const say = (...lines) => { for (const line of lines) fs.writeSync(1, JSON.stringify(line) + "\\n"); };
     const init = ${JSON.stringify(init)};
     const done = ${JSON.stringify(done)};
     ${source}`,
  );
  const agent = { ...commandPolicy, backend: "claude-code", ...change.agent, command } as const;
  return ask(place, toRequest(place, { ...change.request, agent }), change.options);
}

describe("An agent program", () => {
  test("that says what the real one said has answered", async () => {
    const place = await makePlace();
    await writeFile(join(place.root, "lines.jsonl"), fixtureText("claude-code-answered"));
    const { answer, lines } = await askClaude(
      place,
      `process.stdout.write(fs.readFileSync(${JSON.stringify(join(place.root, "lines.jsonl"))}));`,
    );
    expect(answer.outcome).toMatchObject({ kind: "answered", report: { summary: "done" } });
    expect(answer.usage).toMatchObject({ costBasis: "reported", model: "claude-opus-5-5" });
    expect(lines).toEqual(["I write.", "[Write]", "[Bash]", "[StructuredOutput]"]);
  });

  test("gets the prompt, the role's text and the protocol's variables, and none of it is an argument", async () => {
    const place = await makePlace();
    const { answer } = await askClaude(
      place,
      `const role = fs.readFileSync(args[args.indexOf("--append-system-prompt-file") + 1], "utf8");
       const { EXECUTE_PRD_ROLE, EXECUTE_PRD_REQUEST, GIT_AUTHOR_NAME, ANTHROPIC_API_KEY, OPENAI_API_KEY } = process.env;
       const request = JSON.parse(fs.readFileSync(EXECUTE_PRD_REQUEST, "utf8")).stage;
       const seen = { input, role, EXECUTE_PRD_ROLE, request, GIT_AUTHOR_NAME, ANTHROPIC_API_KEY, OPENAI_API_KEY, cwd: process.cwd(), inArgs: args.join().includes("Do the task") };
       say(init, { ...done, structured_output: { summary: JSON.stringify(seen) } });`,
      {
        agent: { instructions: "Be careful." },
        options: { environment: { PATH: process.env["PATH"], ANTHROPIC_API_KEY: "a", OPENAI_API_KEY: "b" } },
      },
    );
    if (answer.outcome.kind !== "answered" || answer.outcome.report.stage !== "develop")
      throw new Error("no answer");
    const { input, ...seen } = JSON.parse(answer.outcome.report.summary);
    expect(input).toMatch(/^Do the task\.\n\n## How your report is read here/);
    expect(seen).toEqual({
      role: "Be careful.",
      EXECUTE_PRD_ROLE: "developer",
      request: "develop",
      GIT_AUTHOR_NAME: "agent d1",
      ANTHROPIC_API_KEY: "a",
      cwd: place.lane,
      inArgs: false,
    });
    expect(await readFile(join(place.evidence, "prompt.md"), "utf8")).toBe(input);
  });

  test("that is logged in gets no key, even one that is configured", async () => {
    const { answer } = await askClaude(
      await makePlace(),
      `say(init, { ...done, structured_output: { summary: String(process.env.ANTHROPIC_API_KEY) } });`,
      {
        agent: { auth: "login", env: ["ANTHROPIC_API_KEY"] },
        options: { environment: { PATH: process.env["PATH"], ANTHROPIC_API_KEY: "a" } },
      },
    );
    expect(answer.outcome).toMatchObject({ report: { summary: "undefined" } });
  });

  test("has the folder of the run as its home where there is one", async () => {
    const { answer } = await askClaude(
      await makePlace(),
      `say(init, { ...done, structured_output: { summary: process.env.CLAUDE_CONFIG_DIR } });`,
      { options: { home: "/home-of-run" } },
    );
    expect(answer.outcome).toMatchObject({ report: { summary: "/home-of-run/.claude" } });
  });

  test("leaves its lines, its report and nothing secret", async () => {
    const place = await makePlace();
    const { answer } = await askClaude(
      place,
      `const key = ["f3b9", "only-known-by-its-name"].join("-");
       say(init, { type: "assistant", message: { content: [{ type: "text", text: "the key is " + key }] } });
       say({ ...done, structured_output: { summary: "with " + key } });`,
      { options: { redaction: createRedaction({ A_TOKEN: "f3b9-only-known-by-its-name" }) } },
    );
    expect(answer.outcome).toMatchObject({ report: { summary: "with [redacted A_TOKEN]" } });
    for (const name of ["report.json", "transcript.jsonl"]) {
      const kept = await readFile(join(place.evidence, name), "utf8");
      expect(kept, name).toContain("[redacted A_TOKEN]");
      expect(kept, name).not.toContain("f3b9");
    }
  });

  test("may say its report in its last message or write the file it was told of", async () => {
    const text = 'Here it is:\n```json\n{"summary":"in words"}\n```\n';
    const inWords = await askClaude(
      await makePlace(),
      `say(init, { ...done, structured_output: undefined, result: ${JSON.stringify(text)} });`,
    );
    expect(inWords.answer.outcome).toMatchObject({ kind: "answered", report: { summary: "in words" } });
    const inFile = await askClaude(
      await makePlace(),
      `fs.writeFileSync(process.env.EXECUTE_PRD_REPORT, '{"summary":"in the file"}');
       say(init, { ...done, structured_output: undefined });`,
    );
    expect(inFile.answer.outcome).toMatchObject({ kind: "answered", report: { summary: "in the file" } });
  });
});

describe("An agent program whose report is missing", () => {
  test("is asked for it once more in the same session, and both are paid for", async () => {
    const place = await makePlace();
    const { answer, lines } = await askClaude(
      place,
      `const costs = { modelUsage: { m: { inputTokens: 10, outputTokens: 1, costUSD: 0.5 } } };
       if (!args.includes("--resume")) say(init, { ...done, ...costs, structured_output: undefined });
       else say(init, { ...done, ...costs, structured_output: { summary: args[args.indexOf("--resume") + 1] + ": " + input.split("\\n")[0] } });`,
    );
    expect(answer.outcome).toMatchObject({ report: { summary: "s-1: Your last message holds no report." } });
    expect(answer.usage).toMatchObject({ inputTokens: 20, costUsd: 1, model: "model-1" });
    expect(lines).toContain("[its report is asked for once more]");
    expect(existsSync(join(place.evidence, "transcript-2.jsonl"))).toBe(true);
  });

  test("is told what is wrong with one that cannot be used", async () => {
    const { answer } = await askClaude(
      await makePlace(),
      `const summary = args.includes("--resume") ? input : 3;
       say(init, { ...done, structured_output: { summary } });`,
    );
    expect(answer.outcome).toMatchObject({ report: { summary: expect.stringContaining("cannot be used") } });
  });

  test("is asked once, and not a third time", async () => {
    const place = await makePlace();
    const { answer } = await askClaude(
      place,
      `fs.appendFileSync(${JSON.stringify(join(place.root, "asked"))}, "x");
       say(init, { ...done, structured_output: undefined });`,
    );
    expect(answer.outcome).toMatchObject({ kind: "failed", failure: { reason: "report-missing" } });
    expect(await readFile(join(place.root, "asked"), "utf8")).toBe("xx");
  });

  test.each(["--dangerously-skip-permissions", "../../etc/passwd", "s\n1", "", "x".repeat(201)])(
    "is not asked in a session that is called %j",
    async (session) => {
      const place = await makePlace();
      const { answer } = await askClaude(
        place,
        `fs.appendFileSync(${JSON.stringify(join(place.root, "asked"))}, "x");
         say({ ...init, session_id: ${JSON.stringify(session)} }, { ...done, structured_output: undefined });`,
      );
      expect(answer.outcome).toMatchObject({ kind: "failed", failure: { reason: "report-missing" } });
      expect(await readFile(join(place.root, "asked"), "utf8")).toBe("x");
    },
  );

  test("is not asked when it does not say that it is done", async () => {
    const place = await makePlace();
    const { answer } = await askClaude(
      place,
      `fs.appendFileSync(${JSON.stringify(join(place.root, "asked"))}, "x");
       say(init, { type: "assistant", message: { content: [{ type: "text", text: '{"summary":"well"}' }] } });`,
    );
    expect(answer.outcome).toMatchObject({ kind: "failed", failure: { reason: "report-missing" } });
    expect(await readFile(join(place.root, "asked"), "utf8")).toBe("x");
  });

  test("because a tool was denied to it names the tool", async () => {
    const { answer } = await askClaude(
      await makePlace(),
      `say(init, { type: "system", subtype: "permission_denied", tool_name: "Bash", message: "not in this mode" });
       say({ ...done, structured_output: undefined });`,
    );
    expect(answer.outcome).toMatchObject({
      kind: "failed",
      failure: {
        reason: "agent-went-nowhere",
        how: 'it was not allowed to use "Bash" and stopped without a report (not in this mode)',
      },
    });
  });
});

describe("An agent program is believed only in its protocol:", () => {
  test("an error with exit code 0 is a failure", async () => {
    const { answer } = await askClaude(
      await makePlace(),
      `say(init, { type: "result", subtype: "success", is_error: true, api_error_status: 529, result: "Overloaded" });`,
    );
    expect(answer.outcome).toMatchObject({
      kind: "failed",
      failure: { reason: "service-failed", status: 529 },
    });
  });

  test("a report with exit code 1 is an answer", async () => {
    const { answer } = await askClaude(await makePlace(), "say(init, done); process.exitCode = 1;");
    expect(answer.outcome).toMatchObject({ kind: "answered" });
  });

  test("words on stderr and words about success decide nothing", async () => {
    const { answer } = await askClaude(
      await makePlace(),
      `console.error("API Error: 401 rate limit"); say(init); console.log('{"summary":"all done"}'); process.exitCode = 3;`,
    );
    expect(answer.outcome).toMatchObject({
      kind: "failed",
      failure: { reason: "agent-exited", exitCode: 3 },
    });
  });

  test("lines that are none, unknown ones and endless ones are passed over, and the last needs no newline", async () => {
    const { answer } = await askClaude(
      await makePlace(),
      `console.log("hello"); console.log("{ no json"); console.log("[1]"); say({ type: "new" }, init);
       process.stdout.write('{"a":"' + "x".repeat(${limits.agentLineBytes}) + '"}\\n' + JSON.stringify(done));`,
    );
    expect(answer.outcome).toMatchObject({ kind: "answered", report: { summary: "did it" } });
  });

  test("one that ends before it says a word cannot be started, which is no fault of its work", async () => {
    const { answer } = await askClaude(
      await makePlace(),
      `console.error("error: unknown option '--restricted'"); process.exitCode = 1;`,
    );
    expect(answer.outcome).toMatchObject({
      kind: "failed",
      failure: {
        reason: "agent-cannot-start",
        detail: expect.stringContaining("unknown option '--restricted'"),
      },
    });
  });

  test("one that is not there cannot be started", async () => {
    const place = await makePlace();
    const agent = { ...commandPolicy, backend: "claude-code", command: ["no-such-program-here"] } as const;
    const { answer } = await ask(place, toRequest(place, { agent }));
    expect(answer.outcome).toMatchObject({
      kind: "failed",
      failure: { reason: "agent-cannot-start", command: "no-such-program-here" },
    });
  });
});

describe("An agent program is ended", () => {
  test("soon after it has answered, with all that it started, and counts as done", async () => {
    const place = await makePlace();
    const pids = join(place.root, "pids");
    const { answer } = await askClaude(
      place,
      `const child = spawn("sleep", ["600"], { detached: true, stdio: "ignore" });
       fs.writeFileSync(${JSON.stringify(pids)}, [process.pid, child.pid].join(" "));
       process.on("SIGTERM", () => {});
       say(init, done);
       setInterval(() => {}, 1_000);`,
    );
    expect(answer.outcome).toMatchObject({ kind: "answered" });
    expect(answer.durationMs).toBeGreaterThanOrEqual(limits.exitGraceMs);
    const left = (await readFile(pids, "utf8")).split(" ").map(Number);
    await until(() => (left.some(isAlive) ? null : true));
  });

  test("when it is silent for the idle time, four times as long while a tool is at work", async () => {
    const silent = await askClaude(await makePlace(), "say(init); setInterval(() => {}, 1_000);", {
      agent: { idleTimeoutMs: 1_000 },
    });
    expect(silent.answer.outcome).toMatchObject({
      kind: "failed",
      failure: { reason: "agent-timed-out", idle: true, afterMs: 1_000 },
    });
    const busy = await askClaude(
      await makePlace(),
      `say(init, { type: "assistant", message: { content: [{ type: "tool_use", id: "t", name: "Bash" }] } });
       setTimeout(() => say(done), 2_000);`,
      { agent: { idleTimeoutMs: 1_000 } },
    );
    expect(busy.answer.outcome).toMatchObject({ kind: "answered" });
  });

  test("when its time is up", async () => {
    const { answer } = await askClaude(
      await makePlace(),
      `say(init); setInterval(() => say({ type: "system", subtype: "progress" }), 50);`,
      { agent: { timeoutMs: 1_500, idleTimeoutMs: 1_000 } },
    );
    expect(answer.outcome).toMatchObject({
      kind: "failed",
      failure: { reason: "agent-timed-out", idle: false, afterMs: 1_500 },
    });
  });

  test("when it only asks its service again and again, which is the service's fault", async () => {
    const { answer } = await askClaude(
      await makePlace(),
      `say(init); setInterval(() => say({ type: "system", subtype: "api_retry", error_status: 503, error: "down" }), 20);`,
    );
    expect(answer.outcome).toMatchObject({
      kind: "failed",
      failure: { reason: "service-failed", status: 503, detail: "down" },
    });
  });

  test("when the builder wants it", async () => {
    const stop = new AbortController();
    const { answer } = await askClaude(
      await makePlace(),
      `say(init, { type: "assistant", message: { content: [{ type: "text", text: "at work" }] } }); setInterval(() => {}, 1_000);`,
      { options: { signal: stop.signal, onOutput: () => stop.abort() } },
    );
    expect(answer.outcome).toEqual({ kind: "interrupted" });
  });
});
