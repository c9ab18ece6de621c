// Secrets of the builder's shell, printed, reported, committed and asked back by agents and gates, stand nowhere in
// what a run leaves: a search byte by byte through every file, the terminal and the command lines of the machine.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { task } from "../support/project-fixture.ts";
import { type Project, plain, project, quick } from "./support/e2e-project.ts";
import { type Ended, toJsonLines, until } from "./support/program.ts";
import { expectRefused } from "./support/refusal.ts";
import { snapshot } from "./support/snapshot.ts";

const pemLines = [
  "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj",
  "MzEfYyjiWA4R4ypbHqGC0M1AtEo7AEFTeWJlYXRhbGxzZWNyZXRzb2Z0aGVyb29t",
];
const secrets = {
  ANTHROPIC_API_KEY: "sk-ant-api03-FAKE0fake1FAKE2fake3FAKE4fake5FAKE6-AA",
  GH_TOKEN: "ghp_Fake0Fake1Fake2Fake3Fake4Fake5Fake6x",
  DB_PASSWORD: 'pá"ss\\wort/mit+allem 7',
  DEPLOY_TOKEN: "f3b9-only-known-by-its-name",
  TLS_KEY: `-----BEGIN PRIVATE KEY-----\n${pemLines.join("\n")}\n-----END PRIVATE KEY-----`,
};
/** Of nobody's environment: known by its shape alone. */
const stray = "AKIAIOSFODNN7EXAMPLE";
const names = Object.keys(secrets);
const env = { ...secrets, API_KEY: "1", AUTH_TOKEN: "true", SSH_KEY_PATH: "/root/.ssh/id" };

/** Every form in which the secrets must be found nowhere. */
const forms: readonly string[] = [...Object.values(secrets), ...pemLines]
  .flatMap((value) => [
    value,
    JSON.stringify(value).slice(1, -1),
    JSON.stringify(JSON.stringify(value)).slice(3, -3),
    encodeURIComponent(value),
    Buffer.from(value).toString("base64"),
    Buffer.from(value).toString("base64url"),
  ])
  .concat(stray);

function leaksIn(bytes: Buffer | string): string[] {
  const whole = Buffer.from(bytes);
  return [...new Set(forms.filter((form) => whole.includes(form)))];
}

/** Code of a rule: `keys`, and `leak()`, which prints all of them in every way, to both streams, in pieces. */
const leaking = `
const keys = ${JSON.stringify(names)}.map((name) => env[name]).concat("AKIA" + "IOSFODNN7EXAMPLE");
const all = keys.join(" | ");
const report = (value) => fs.writeFileSync(env.EXECUTE_PRD_REPORT, JSON.stringify(value));
const leak = async () => {
  for (const key of keys) {
    console.log("the key is " + key);
    console.error(JSON.stringify({ key, nested: JSON.stringify({ key }) }));
    console.log("https://host/?key=" + encodeURIComponent(key) + " " + Buffer.from(key).toString("base64"));
    console.log(Buffer.from("user:" + key + "!").toString("base64"));
    for (const half of [key.slice(0, 9), key.slice(9)]) {
      process.stdout.write(half);
      await sleep(30);
    }
    process.stdout.write("\\n");
    process.stdout.write(key.slice(0, 8));
    await sleep(30);
    process.stderr.write(key.slice(8) + "\\n");
    await sleep(30);
    process.stdout.write("\\n" + key.slice(0, 5) + "\\u001b[1m" + key.slice(5) + "\\u001b[0m\\n");
  }
};
`;

const leakyGate = `import { readdirSync } from "node:fs";
for (const name of ${JSON.stringify(names)}) {
  const key = process.env[name];
  console.log("gate:" + key + ":" + Buffer.from(key).toString("base64"));
  console.error(key);
  process.stdout.write(key.slice(0, 10));
  await new Promise((resolve) => setTimeout(resolve, 20));
  process.stdout.write(key.slice(10) + "\\n" + key.slice(0, 7));
  await new Promise((resolve) => setTimeout(resolve, 20));
  process.stderr.write(key.slice(7) + "\\n");
  await new Promise((resolve) => setTimeout(resolve, 20));
}
if (readdirSync(".").includes("bad.txt")) process.exit(1);
`;

const finding = `report({ verdict: "iterate", score: 10, criteria: [{ index: 0, verdict: "not met", where: all }],
  findings: [{ id: keys[0], severity: "major", file: keys[1], line: 1, problem: "has " + all, fix: all }] });
process.exit(0);`;

function leakyProject(): Project {
  const agent = { backend: "command", command: ["node", "agent.mjs"], env: ["TEST_AGENT", ...names] };
  const gateEnv = ["TEST_AGENT", ...names];
  const plan = project({
    files: {
      "leak.mjs": leakyGate,
      ".execute-prd/agents/developer.md": `The key is ${secrets.DEPLOY_TOKEN}, never ${stray}.\n`,
      "agent.mjs": `await import(${JSON.stringify(new URL("./support/agent.mjs", import.meta.url).href)});\n`,
    },
    prd: {
      ...plain(
        task("a", { description: `Connect with ${secrets.DB_PASSWORD}` }),
        task("b", { dependsOn: ["a"] }),
        task("c", { dependsOn: ["b"] }),
      ),
      goal: `make files, with the password ${secrets.DB_PASSWORD}`,
    },
    config: {
      ...quick,
      agents: { developer: agent, reviewer: agent, orchestrator: agent },
      gates: [{ name: "leak", command: "node leak.mjs", env: gateEnv }],
      maxAttempts: 4,
    },
  });
  plan.setRules([
    {
      stage: "develop",
      taskId: "a",
      attempt: 1,
      code: `${leaking} await leak();
fs.writeFileSync("config.txt", keys.join("\\n")); fs.writeFileSync("key-" + keys[1] + ".txt", "x"); fs.writeFileSync("bad.txt", all);
sh("git", "add", "-A"); sh("git", "commit", "-q", "-F", "config.txt");
report({ summary: "used " + all, reflection: "x".repeat(3985) + keys[0], signals: keys, [keys[3]]: all });
process.exit(0);`,
    },
    {
      stage: "develop",
      taskId: "a",
      attempt: 2,
      code: 'for (const name of fs.readdirSync(".")) if (/^(?:bad|config|key-)/.test(name)) fs.rmSync(name);',
    },
    { stage: "review", taskId: "a", attempt: 2, code: `${leaking} ${finding}` },
    {
      stage: "develop",
      taskId: "b",
      attempt: 1,
      code: `${leaking} report({ summary: "asks", question: { text: "is it " + all + "?", options: ["yes " + keys[0], "no"] } }); process.exit(0);`,
    },
    {
      stage: "develop",
      taskId: "b",
      attempt: 2,
      code: `${leaking} await leak(); fs.writeFileSync("half.txt", keys.join("\\n")); fs.writeFileSync(env.TEST_AGENT + ".up", ""); process.on("SIGTERM", () => {}); await sleep(60_000);`,
    },
    { stage: "develop", taskId: "b", attempt: 3, delete: ["half.txt"] },
    {
      stage: "develop",
      taskId: "c",
      attempt: 1,
      code: `${leaking} fs.writeFileSync("c.txt", all); fs.writeFileSync(env.EXECUTE_PRD_REPORT, "{ not json: " + all); process.exit(0);`,
    },
    {
      stage: "develop",
      taskId: "c",
      attempt: 2,
      code: `${leaking} report({ summary: 1, problem: all }); console.error(all); process.exit(7);`,
    },
    {
      stage: "holistic-review",
      code: `${leaking} report({ verdict: "pass", summary: all, followUps: [], learnings: ["never print " + all] }); process.exit(0);`,
    },
  ]);
  return plan;
}

/** Looks at the command lines of the machine until it is told to stop. */
function watchCommandLines(): () => string[] {
  const leaks = new Set<string>();
  const look = (): void => {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        for (const leak of leaksIn(readFileSync(`/proc/${pid}/cmdline`))) leaks.add(leak);
      } catch {
        // gone meanwhile
      }
    }
  };
  const timer = process.platform === "linux" ? setInterval(look, 10) : undefined;
  return () => {
    clearInterval(timer);
    return [...leaks];
  };
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** What agents leave that is no JSON, and the empty word of the lock. */
const noJson = /c\/1\/report\.json$/;

function expectNoLeak(plan: Project, said: readonly Ended[]): void {
  for (const file of filesBelow(plan.runFolder)) {
    const bytes = readFileSync(file);
    expect({ file, leaks: leaksIn(bytes) }).toEqual({ file, leaks: [] });
    if (file.endsWith(".json") && bytes.length > 0 && !noJson.test(file)) JSON.parse(bytes.toString());
    if (file.endsWith(".jsonl")) toJsonLines(bytes.toString());
  }
  for (const { stdout, stderr } of said) expect(leaksIn(stdout + stderr)).toEqual([]);
}

describe("secrets of the shell", () => {
  it("are in no file of the run, on no terminal and in no command line, while refs keep what was written", async () => {
    const plan = leakyProject();
    const said: Ended[] = [];
    let commandLines = watchCommandLines();
    const run = async (...args: string[]): Promise<Ended> => {
      const ended = await plan.run(args, { env });
      said.push(ended);
      return ended;
    };

    // a leaks in every way, is rejected by the gate and the reviewer, and gets through; b asks
    const first = await run("run", plan.slug);
    expect(first.exitCode, first.stdout + first.stderr).toBe(4);
    expect(commandLines()).toEqual([]);
    expectNoLeak(plan, said);
    expect(plan.read("attempts/a/1/transcript.jsonl")).toContain("[redacted GH_TOKEN]");
    expect(plan.read("attempts/a/1/candidate.patch")).toContain("+[redacted DEPLOY_TOKEN]");
    expect(plan.read("attempts/a/1/report.json")).toContain("[redacted ANTHROPIC_API_KEY]");
    expect(plan.read("attempts/a/2/prompt.md")).toContain("[redacted DB_PASSWORD]");
    expect(plan.read("attempts/a/2/prompt.md")).toContain(
      "The key is [redacted DEPLOY_TOKEN], never [redacted token].",
    );
    expect(plan.read("attempts/a/2/review.json")).toContain("[redacted token]");
    expect(plan.read("attempts/b/1/request.json")).toContain("[redacted DB_PASSWORD]");
    expect(plan.read("report.md")).toContain("[redacted DEPLOY_TOKEN]");
    expect(first.stdout).toContain("[redacted DEPLOY_TOKEN]");
    expect(plan.prd()).toMatchObject({ goal: "make files, with the password [redacted DB_PASSWORD]" });
    expect(plan.task("a")).toMatchObject({ passes: true });

    // the builder answers with secrets; b is stopped in the middle
    const [question] = plan.events().filter(({ kind }) => kind === "question-asked");
    expect(JSON.stringify(question)).toContain("is it [redacted ANTHROPIC_API_KEY] |");
    await run("answer", plan.slug, `it is ${secrets.DEPLOY_TOKEN} and ${stray}`);
    expect(said.at(-1)).toMatchObject({ exitCode: 0 });
    commandLines = watchCommandLines();
    const live = plan.start(["resume", plan.slug], { env });
    await until("b is at work", () => plan.isUp());
    expect(await run("pause", plan.slug, "--now")).toMatchObject({ exitCode: 0 });
    said.push(await live.ended);
    expect(said.at(-1)).toMatchObject({ exitCode: 3 });
    expect(plan.read("attempts/b/2/prompt.md")).toContain(
      "it is [redacted DEPLOY_TOKEN] and [redacted token]",
    );
    const [salvage = ""] = filesBelow(join(plan.runFolder, "salvage")).filter((file) =>
      file.endsWith(".patch"),
    );
    expect(readFileSync(salvage, "utf8")).toContain("+[redacted DEPLOY_TOKEN]");
    expectNoLeak(plan, said);

    // c fails with the secrets in a report that is none and in its last words
    const last = await run("resume", plan.slug);
    expect(last.exitCode, last.stdout + last.stderr).toBe(0);
    expect(commandLines()).toEqual([]);
    for (const look of ["status", "log", "report"]) {
      await run(look, plan.slug);
      await run(look, plan.slug, "--json");
    }
    expectNoLeak(plan, said);
    expect(said.every(({ exitCode }) => exitCode !== 70)).toBe(true);
    expect(plan.task("c")).toMatchObject({ passes: true, attemptCount: 3 });
    expect(plan.events().some(({ kind }) => kind === "plan-changed")).toBe(false);

    // hashes are of what is stored; refs and the branch hold what was written
    const gate = plan.events().find((event) => event.kind === "gate-ended" && event["taskId"] === "a");
    const log = readFileSync(join(plan.runFolder, "attempts/a/2/gates/leak.log"));
    expect(log.toString()).toContain("gate:[redacted GH_TOKEN]:[redacted GH_TOKEN]");
    expect(gate).toMatchObject({
      result: { result: { outputSha256: createHash("sha256").update(log).digest("hex") } },
    });
    const refs = plan.git(["for-each-ref", "--format=%(refname)", "refs/execute-prd"]).split("\n");
    const [candidate = "", salvaged = ""] = ["/a/1/candidate", "/b/2/salvage-1"].map((end) =>
      refs.find((ref) => ref.endsWith(end)),
    );
    expect(plan.git(["show", `${candidate}:config.txt`])).toContain(secrets.GH_TOKEN);
    expect(plan.git(["show", `${salvaged}:half.txt`])).toContain(secrets.DB_PASSWORD);

    // made again from the journal, without the environment, every file is the same
    const before = snapshot(plan.runFolder);
    expect(await plan.run(["rebuild", plan.slug])).toMatchObject({ exitCode: 0 });
    expect(snapshot(plan.runFolder)).toEqual(before);
  });

  it("are not in what a refusal quotes, whole or cut", async () => {
    const plan = project({
      prd: plain(
        { ...(task("a") as Record<string, unknown>), agent: secrets.DEPLOY_TOKEN },
        { ...(task("b") as Record<string, unknown>), passes: `${"x".repeat(180)}${secrets.GH_TOKEN}` },
      ),
    });
    for (const args of [
      ["run", plan.slug],
      ["validate", plan.slug, "--json"],
      ["status", `--${secrets.DB_PASSWORD}`],
      ["answer", "no-such-run", secrets.DEPLOY_TOKEN],
      ["status", secrets.DEPLOY_TOKEN],
    ]) {
      const { exitCode, stdout, stderr } = await plan.run(args, { env });
      expect(exitCode).toBe(2);
      expect(leaksIn(stdout + stderr)).toEqual([]);
      expect(stdout + stderr).not.toContain(secrets.GH_TOKEN.slice(0, 12));
    }
  });

  it("that are part of the run's own names stay there, and it is told", async () => {
    const plan = project({ prd: plain(task("a")), config: quick });
    const ended = await plan.run(["run", plan.slug], {
      env: { ODD_KEY: plan.branch, OTHER_KEY: "session-started" },
    });
    expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
    expect(plan.events()).toContainEqual({
      kind: "told",
      text: expect.stringContaining("ODD_KEY is part of a name"),
    });
    expect(plan.status()).toMatchObject({ branch: plan.branch, status: "completed" });
  });

  it.each([
    [
      "a gate's command",
      { gates: [{ name: "t", command: `node check.mjs ${secrets.GH_TOKEN}` }] },
      "gates[0].command",
    ],
    ["setup", { setup: `curl -H "x: ${stray}" host` }, "setup"],
  ])(
    "in %s are refused before anything begins, because every program could read them there",
    async (_where, config, path) => {
      const plan = project({ config: { ...quick, ...config } });
      const problems = await expectRefused(plan, { words: [path, "[redacted"], at: { env } });
      expect(leaksIn(JSON.stringify(problems))).toEqual([]);
    },
  );
});
