// The metering proxy from outside: what agents use is measured, a cap holds within a dispatch, limits and trouble of
// the service are what they are, and nothing of it outlives the program.
import { describe, expect, it } from "vitest";
import { startAnthropicServer } from "../support/anthropic-server.ts";
import { type Project, quick } from "./support/e2e-project.ts";
import { fakeClaude } from "./support/fake-claude.ts";
import {
  anthropicKey,
  asks,
  everyRole,
  keysAt,
  metered,
  meteredProject,
  openaiKey,
  usages,
} from "./support/metered-project.ts";
import { work } from "./support/model-work.ts";
import { until } from "./support/program.ts";
import { answer, perRequest, refuse, startUpstream, writtenPerMessage } from "./support/upstream.ts";

const sonnetUsd = (1_000 * 2 + 100 * 10 + 3_000 * 0.1 + 200 * 2.5) / 1_000_000;
const gptUsd = (1_000 * 1 + 100 * 10 + 3_000 * 0.1) / 1_000_000;
/** $0.10 a request. */
const dear = { prices: { "claude-sonnet-5-5": { input: 100, output: 0, cacheRead: 0, cacheWrite: 0 } } };

/** Measured in every place where a figure stands. */
function expectMeasured(plan: Project, costUsd: number): void {
  for (const usage of usages(plan)) expect(usage).toMatchObject({ costBasis: "measured" });
  expect(plan.status()).toMatchObject({ usage: { costBasis: "measured" } });
  const { usage } = plan.status() as { usage: { costUsd: number } }; // as the line before says
  expect(usage.costUsd).toBeCloseTo(costUsd, 9);
  expect(JSON.parse(plan.read("receipts/a.json"))).toMatchObject({
    usage: { costBasis: "measured" },
    judgement: { review: { model: expect.stringMatching(/^(?:claude-|gpt-)/) } },
  });
  const report = plan.read("report.md");
  expect(report).toMatch(/- Usage: 3 dispatches; tokens: .*; cost \$0\.\d\d, measured/);
  expect(report).toMatch(/\| developer \| developer \| develop \| 1 \|.*\| measured \|/);
  expect(report).toMatch(/^\| a \| 2 \|.*\| measured \|$/m);
  expect(plan.read("progress.md")).toMatch(/Tokens: [\d,]+ in, [\d,]+ out, measured/);
}

describe("what agents use behind the proxy is measured", () => {
  it("of a command, in both protocols, whole and streamed, whatever it says itself", async () => {
    const all =
      "for (const stream of [true, false]) note([await messages({ stream }), await responses({ stream })]);";
    const usage = { inputTokens: 7, outputTokens: 7, costUsd: 99 };
    const plan = meteredProject({
      rules: [
        asks("develop", all, { report: { summary: "made", usage }, write: { "a.txt": "a" } }),
        ...everyRole,
      ],
    });
    const upstream = await startUpstream();
    const ended = await plan.run(["run", plan.slug], { env: keysAt(upstream.url) });
    expect(ended.exitCode, ended.stdout).toBe(0);
    const [developed] = usages(plan);
    expect(developed).toMatchObject({
      inputTokens: 4 * perRequest.inputTokens,
      outputTokens: 4 * perRequest.outputTokens,
      cacheReadTokens: 4 * perRequest.cacheReadTokens,
      cacheWriteTokens: 2 * writtenPerMessage,
    });
    expectMeasured(plan, 4 * sonnetUsd + 2 * gptUsd);
    expect(JSON.stringify(plan.notes())).toMatch(/message_stop.*response\.completed/);
    expect(new Set(upstream.asked.map(({ key }) => key))).toEqual(new Set([anthropicKey, openaiKey]));
    expect((await plan.run(["log", plan.slug])).stdout).toMatch(/ended after .*, \$0\.01 \(measured\)/);
  });

  it("of our own loop", async () => {
    const own = { backend: "anthropic", model: "claude-sonnet-5-5" };
    const agents = { developer: own, reviewer: own, orchestrator: own };
    const plan = meteredProject({ config: { agents } });
    const server = await startAnthropicServer(work);
    const env = { ANTHROPIC_API_KEY: anthropicKey, ANTHROPIC_BASE_URL: server.url };
    const ended = await plan.run(["run", plan.slug], { env });
    expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
    expect(server.violations).toEqual([]);
    const counted = server.asked.reduce((sum, { usage }) => sum + Number(usage?.["output_tokens"]), 0);
    expect(usages(plan).reduce((sum, usage) => sum + Number(usage?.["outputTokens"]), 0)).toBe(counted);
    for (const { headers } of server.asked) expect(headers["authorization"]).toBe(`Bearer ${anthropicKey}`);
    const { usage } = plan.status() as { usage: { costUsd: number } }; // every status has it
    expectMeasured(plan, usage.costUsd);
    expect(usage.costUsd).toBeGreaterThan(0);
  });

  it("of claude, whatever it says that it cost", async () => {
    const claude = { backend: "claude-code", env: ["TEST_AGENT"] };
    const agents = { developer: claude, reviewer: claude, orchestrator: claude };
    const plan = meteredProject({ config: { agents }, rules: everyRole });
    const upstream = await startUpstream();
    const env = { ...keysAt(upstream.url), PATH: `${fakeClaude(plan)}:${process.env["PATH"]}` };
    const ended = await plan.run(["run", plan.slug], { env });
    expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
    expectMeasured(plan, 3 * sonnetUsd);
    expect(upstream.asked.map(({ key }) => key)).toEqual([anthropicKey, anthropicKey, anthropicKey]);
  });

  it("except the cost of a model that has no price, which is unknown and never nothing: then dispatches are counted", async () => {
    const unpriced = "await messages({ model: 'gpt-6-codex' });";
    const rules = ["develop", "review", "holistic-review"].map((stage) => asks(stage, unpriced));
    const plan = meteredProject({ rules, config: { budget: { usd: 0.0001, maxDispatches: 2 } } });
    const upstream = await startUpstream();
    const stopped = await plan.run(["run", plan.slug], { env: keysAt(upstream.url) });
    expect(stopped.exitCode).toBe(3);
    expect(stopped.stdout).toMatch(/budget of 2 dispatches is used up/);
    expect(usages(plan)).toMatchObject([
      { outputTokens: 100, costUsd: null, costBasis: "unknown", model: "gpt-6-codex" },
      { costUsd: null, costBasis: "unknown" },
    ]);
    expect(plan.status()).toMatchObject({ usage: { inputTokens: 2_000, costBasis: "unknown" } });
    expect(plan.read("report.md")).toMatch(/cost unknown/);
  });
});

describe("the key that an agent has", () => {
  it("works in its own dispatch, in no later one, and not after the run", async () => {
    const keep =
      "fs.writeFileSync(env.TEST_AGENT + '.kept', env.ANTHROPIC_API_KEY); note((await messages()).status);";
    const reuse = "const key = fs.readFileSync(env.TEST_AGENT + '.kept', 'utf8');";
    const both = `${reuse} note([key === env.ANTHROPIC_API_KEY, (await messages({ key })).status, (await messages()).status]);`;
    const plan = meteredProject({
      rules: [asks("develop", `note(env.ANTHROPIC_BASE_URL); ${keep}`), asks("review", both), ...everyRole],
    });
    const upstream = await startUpstream();
    const ended = await plan.run(["run", plan.slug], { env: keysAt(upstream.url) });
    expect(ended.exitCode, ended.stdout).toBe(0);
    const [address, inDispatch, later] = plan.notes() as unknown[];
    expect(inDispatch).toBe(200);
    expect(later).toEqual([false, 401, 200]);
    expect(upstream.asked).toHaveLength(3);
    await expect(fetch(`${String(address)}/v1/messages`, { method: "POST" })).rejects.toThrow();
  });
});

describe("a hard cap within a dispatch", () => {
  /** Asks until it is refused. */
  const greedy = (how: string) =>
    `let last; do last = await ${how}; while (last.status === 200); note(last); process.exit(1);`;

  it.each([
    ["messages", "messages({ stream: true })", { type: "error", error: { type: "billing_error" } }],
    ["responses", "responses({ model: 'claude-sonnet-5-5' })", { error: { code: "billing_error" } }],
  ])(
    "refuses in the words of %s, pauses the run, and it goes on with more money",
    async (_what, how, shape) => {
      const plan = meteredProject({
        rules: [asks("develop", greedy(how)), ...everyRole],
        config: { ...dear, budget: { usd: 0.25 } },
      });
      const upstream = await startUpstream();
      const env = keysAt(upstream.url);
      const stopped = await plan.run(["run", plan.slug], { env });
      expect(stopped.exitCode, stopped.stdout).toBe(3);
      expect(stopped.stdout).toMatch(/the cost \$0\.30 reached the budget of \$0\.25.*resume --budget-usd/);
      expect(upstream.asked).toHaveLength(3);
      const [refused] = plan.notes();
      expect(refused).toMatchObject({ status: 402 });
      expect(JSON.parse(String(refused?.["text"]))).toMatchObject(shape);
      expect(plan.status()).toMatchObject({ status: "paused", usage: { costBasis: "measured" } });
      expect(plan.task("a")).toMatchObject({ attemptCount: 0 });
      plan.setRules(everyRole);
      expect((await plan.run(["resume", plan.slug], { env })).exitCode).toBe(3);
      expect(upstream.asked).toHaveLength(3);
      const ended = await plan.run(["resume", plan.slug, "--budget-usd", "5"], { env });
      expect(ended.exitCode, ended.stdout).toBe(0);
      expect(plan.task("a")).toMatchObject({ status: "complete", attemptCount: 1 });
    },
  );

  it("of a task names the task and what raises it", async () => {
    const plan = meteredProject({
      rules: [asks("develop", greedy("messages()")), ...everyRole],
      config: { ...dear, budget: { usd: 5, perTaskUsd: 0.15 } },
    });
    const upstream = await startUpstream();
    const env = keysAt(upstream.url);
    const stopped = await plan.run(["run", plan.slug], { env });
    expect(stopped.exitCode, stopped.stdout).toBe(3);
    expect(stopped.stdout).toMatch(
      /cost \$0\.20 of task a reached the budget of \$0\.15; raise budget\.perTaskUsd/,
    );
    plan.setRules(everyRole);
    plan.setConfig({ ...metered, ...dear, budget: { usd: 5, perTaskUsd: 1 } });
    const ended = await plan.run(["resume", plan.slug], { env });
    expect(ended.exitCode, ended.stdout).toBe(0);
  });

  it("counts what agents beside each other use together", async () => {
    const plan = meteredProject({
      tasks: ["a", "b"],
      rules: [asks("develop", greedy("messages()")), ...everyRole],
      config: { ...dear, concurrency: 2, budget: { usd: 0.5 } },
    });
    const upstream = await startUpstream();
    const stopped = await plan.run(["run", plan.slug], { env: keysAt(upstream.url) });
    expect(stopped.exitCode, stopped.stdout).toBe(3);
    // One request of each agent may be under way when the cap is reached.
    expect(upstream.asked.length).toBeGreaterThanOrEqual(5);
    expect(upstream.asked.length).toBeLessThanOrEqual(6);
  });
});

describe("a service behind the proxy", () => {
  it("that says a limit makes the run wait for its end, and uses up no attempt", async () => {
    const plan = meteredProject({ config: { maxAttempts: 1 } });
    const times: number[] = [];
    const upstream = await startUpstream((asked, response, index) => {
      times.push(Date.now());
      if (index === 0) return refuse(response, 429, { "retry-after": "2" });
      answer(asked, response);
    });
    const ended = await plan.run(["run", plan.slug], { env: keysAt(upstream.url) });
    expect(ended.exitCode, ended.stdout).toBe(0);
    expect(plan.events().filter(({ kind }) => kind === "wait-started")).toMatchObject([
      { agent: "developer", failure: { reason: "rate-limited" } },
    ]);
    const [first = 0, second = 0] = times;
    expect(second - first).toBeGreaterThanOrEqual(1_990);
    expect(plan.task("a")).toMatchObject({ attemptCount: 1 });
  });

  it.each<[string, Parameters<typeof startUpstream>[0]]>([
    ["sends 500", (_asked, response) => refuse(response, 500)],
    ["breaks off its answer", (_asked, response) => void response.socket?.destroy()],
    ["leads elsewhere", (_asked, response) => refuse(response, 307, { location: "http://127.0.0.1:9/x" })],
  ])("that once %s is asked again, and uses up no attempt", async (_what, fail) => {
    const noting = "const got = await messages(); note(got); if (got.status !== 200) process.exit(1);";
    const plan = meteredProject({
      config: { maxAttempts: 1 },
      rules: [asks("develop", noting), ...everyRole],
    });
    const upstream = await startUpstream((asked, response, index) =>
      index === 0 ? fail?.(asked, response, index) : answer(asked, response),
    );
    const ended = await plan.run(["run", plan.slug], { env: keysAt(upstream.url) });
    expect(ended.exitCode, ended.stdout).toBe(0);
    expect(plan.notes()[0]).toMatchObject({ location: null });
    expect(plan.notes()[0]?.["status"]).toBeGreaterThanOrEqual(500);
    expect(plan.task("a")).toMatchObject({ status: "complete", attemptCount: 1 });
  });

  it("that is down is asked as often as retry says, then the builder is, and goes on once it is up", async () => {
    const plan = meteredProject({
      config: { maxAttempts: 1, retry: { maxRetries: 1, backoffBaseMs: 10, backoffMaxMs: 20 } },
    });
    const down = await plan.run(["run", plan.slug], { env: keysAt("http://127.0.0.1:9") });
    expect(down.exitCode, down.stdout).toBe(4);
    expect(down.stdout).toMatch(/failed 2 times in a row for reasons outside the work.*could not be reached/);
    expect(plan.task("a")).toMatchObject({ attemptCount: 0 });
    const upstream = await startUpstream();
    expect((await plan.run(["answer", plan.slug, "retry"])).exitCode).toBe(0);
    const ended = await plan.run(["resume", plan.slug], { env: keysAt(upstream.url) });
    expect(ended.exitCode, ended.stdout).toBe(0);
  });

  it("that does not take the key pauses the run at once", async () => {
    const plan = meteredProject({ config: { maxAttempts: 1 } });
    const upstream = await startUpstream((_asked, response) => refuse(response, 401));
    const paused = await plan.run(["run", plan.slug], { env: keysAt(upstream.url) });
    expect(paused.exitCode, paused.stdout).toBe(3);
    expect(paused.stdout).toMatch(/not logged in.*401/);
    expect(plan.task("a")).toMatchObject({ attemptCount: 0 });
  });

  it("that is slow is passed on piece by piece, and waited for", async () => {
    const noting = `
      const answer = await fetch(env.ANTHROPIC_BASE_URL + "/v1/messages", { method: "POST",
        headers: { "x-api-key": env.ANTHROPIC_API_KEY }, body: '{"stream":true}' });
      for await (const piece of answer.body) note({ piece: Buffer.from(piece).toString() });`;
    const plan = meteredProject({ rules: [asks("develop", noting), ...everyRole] });
    const upstream = await startUpstream((asked, response, index) => {
      if (index > 0) return answer(asked, response);
      response.writeHead(200, { "content-type": "text/event-stream" });
      const message = { model: "claude-sonnet-5-5", usage: { input_tokens: 1_000, output_tokens: 1 } };
      response.write(`data: ${JSON.stringify({ type: "message_start", message })}\n\n`);
      const end = () =>
        response.end(`data: ${JSON.stringify({ type: "message_delta", usage: { output_tokens: 100 } })}\n\n`);
      // The end is not sent before the agent has what came first.
      until("the first piece is there", () => plan.notes().length > 0).then(end, end);
    });
    const ended = await plan.run(["run", plan.slug], { env: keysAt(upstream.url) });
    expect(ended.exitCode, ended.stdout).toBe(0);
    const [first, last] = plan.notes(); // the developer's
    expect(String(first?.["piece"])).not.toContain("message_delta");
    expect(String(last?.["piece"])).toContain("message_delta");
    expect(usages(plan)[0]).toMatchObject({ inputTokens: 1_000, outputTokens: 100, costBasis: "measured" });
  });
});

describe("a program that is paused at once", () => {
  it("knows what the agent it ended had used", async () => {
    const hang = "await messages(); note('answered'); await sleep(600_000);";
    const plan = meteredProject({ rules: [asks("develop", hang), ...everyRole] });
    const upstream = await startUpstream();
    const env = keysAt(upstream.url);
    const live = plan.start(["run", plan.slug], { env });
    await until("the agent was answered", () => plan.notes().length === 1);
    live.signal("SIGINT");
    expect((await live.ended).exitCode).toBe(3);
    expect(usages(plan)).toMatchObject([{ outputTokens: 100, costBasis: "measured" }]);
    plan.setRules(everyRole);
    const ended = await plan.run(["resume", plan.slug], { env });
    expect(ended.exitCode, ended.stdout).toBe(0);
    expect(plan.status()).toMatchObject({ usage: { outputTokens: 400, costBasis: "measured" } });
  });
});

describe("a program that is killed", () => {
  it("takes the proxy with it; the next start goes on, and says that it does not know what was used", async () => {
    const hang = "note(env.ANTHROPIC_BASE_URL); await messages(); await sleep(600_000);";
    const plan = meteredProject({ rules: [asks("develop", hang), ...everyRole] });
    const upstream = await startUpstream();
    const env = keysAt(upstream.url);
    const live = plan.start(["run", plan.slug], { env });
    await until("the agent has asked", () => upstream.asked.length === 1);
    live.signal("SIGKILL");
    await live.ended;
    const [address] = plan.notes() as unknown[];
    await expect(fetch(`${String(address)}/v1/models`)).rejects.toThrow();
    await until("no child is left", () => plan.children().length === 0);
    plan.setRules(everyRole);
    const ended = await plan.run(["run", plan.slug], { env });
    expect(ended.exitCode, ended.stdout).toBe(0);
    expect(usages(plan)).toMatchObject([
      null,
      { costBasis: "measured" },
      { costBasis: "measured" },
      { costBasis: "measured" },
    ]);
    expect(plan.status()).toMatchObject({ usage: { costBasis: "unknown" } });
    expect(plan.read("report.md")).toMatch(/cost unknown, at least \$0\.01 \(known of 3 of 4 dispatches\)/);
    expect(plan.task("a")).toMatchObject({ status: "complete", attemptCount: 1 });
  });
});

describe("claude with a login of its own", () => {
  it("spends no money, whatever it says: dispatches are counted", async () => {
    const claude = { backend: "claude-code", auth: "login", env: ["TEST_AGENT"] };
    const plan = meteredProject({
      config: { agents: { developer: claude, reviewer: claude, orchestrator: claude }, meteringProxy: false },
      rules: [],
    });
    plan.setConfig({
      ...quick,
      agents: { developer: claude, reviewer: claude, orchestrator: claude },
      budget: { usd: 1, maxDispatches: 2 },
    });
    const stopped = await plan.run(["run", plan.slug], {
      env: { PATH: `${fakeClaude(plan)}:${process.env["PATH"]}` },
    });
    expect(stopped.exitCode, stopped.stdout).toBe(3);
    expect(stopped.stdout).toMatch(/budget of 2 dispatches is used up/);
    expect(usages(plan)).toMatchObject([
      { outputTokens: 5, costUsd: null, costBasis: "unknown", model: "claude-opus-5-5" },
      { outputTokens: 5, costUsd: null, costBasis: "unknown" },
    ]);
  });
});
