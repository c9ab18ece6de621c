// The builder's keys, looked for wherever they could have gone: files of the run, drop folders, worktrees, the terminal,
// command lines of the machine, environments of every child.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { call, startAnthropicServer } from "../support/anthropic-server.ts";
import { type Project, untilLetGo } from "./support/e2e-project.ts";
import { fakeClaude } from "./support/fake-claude.ts";
import {
  anthropicKey,
  asks,
  everyRole,
  keysAt,
  meteredProject,
  openaiKey,
} from "./support/metered-project.ts";
import { develop, work } from "./support/model-work.ts";
import { type Ended, type Live, until } from "./support/program.ts";
import { startUpstream } from "./support/upstream.ts";

const isLinux = process.platform === "linux";
const forms = [anthropicKey, openaiKey].flatMap((key) => [key, Buffer.from(key).toString("base64")]);

/**
 * For the code of a rule: notes all that the agent has and sees: its environment, its own folder, the command lines of
 * those that started it.
 */
const looking = `
const readable = (file) => { try { return fs.readFileSync(file, "latin1"); } catch { return ""; } };
const parents = [];
for (let pid = process.pid; pid > 1; pid = Number(/^PPid:\\s*(\\d+)/m.exec(readable("/proc/" + pid + "/status"))?.[1] ?? 0))
  parents.push(readable("/proc/" + pid + "/cmdline"));
const drop = path.dirname(env.EXECUTE_PRD_REQUEST);
const files = fs.readdirSync(drop, { recursive: true }).map((name) => readable(path.join(drop, String(name))));
note({ env: { ...env }, parents, files });
`;

/** A gate, a set-up and a git that write down their environment past every redaction, beside the checkout. */
function watched(rest: Parameters<typeof meteredProject>[0]) {
  const gate = `import { appendFileSync } from "node:fs";
    appendFileSync(process.env.TEST_AGENT + ".gate", JSON.stringify(process.env)); console.log("1 passed, 0 failed");\n`;
  const plan = meteredProject({
    ...rest,
    files: { "check.mjs": gate },
    config: { setup: 'env >> "$EXECUTE_PRD_CHECKOUT/../setup.env"', ...rest.config },
  });
  const bin = join(plan.folder, "bin");
  mkdirSync(bin);
  const git = `#!/bin/sh\nenv >> ${plan.folder}/git.env\nPATH=\${PATH#*:} exec git "$@"\n`;
  writeFileSync(join(bin, "git"), git);
  chmodSync(join(bin, "git"), 0o755);
  return { plan, path: `${bin}:${process.env["PATH"]}` };
}

/** Every file below the folder of the project and what was said holds none of the keys. */
function expectNowhere(plan: Project, ended: Ended): void {
  const files = readdirSync(plan.folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  expect(files.length).toBeGreaterThan(30);
  const holding = files.filter((file) => forms.some((form) => readFileSync(file, "latin1").includes(form)));
  expect(holding).toEqual([]);
  for (const form of forms) expect(ended.stdout + ended.stderr).not.toContain(form);
}

/** Looks at all processes once: command lines of everybody, environments of those that the program started. */
function keysSeen(program: Live): string[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const read = (pid: string, name: string): string => {
    try {
      return readFileSync(join("/proc", pid, name), "latin1");
    } catch {
      return ""; // gone meanwhile, or of another user
    }
  };
  const parentOf = new Map(pids.map((pid) => [pid, /^PPid:\s*(\d+)/m.exec(read(pid, "status"))?.[1] ?? "0"]));
  const isChild = (pid: string): boolean => {
    const parent = parentOf.get(pid);
    return parent !== undefined && (parent === String(program.pid) || isChild(parent));
  };
  const holds = (text: string) => forms.some((form) => text.includes(form));
  return pids.flatMap((pid) => [
    ...(holds(read(pid, "cmdline")) ? [`command line of ${pid}`] : []),
    ...(isChild(pid) && holds(read(pid, "environ")) ? [`environment of ${pid}`] : []),
  ]);
}

async function runWatched(plan: Project, env: Readonly<Record<string, string>>): Promise<Ended> {
  const live = plan.start(["run", plan.slug], { env });
  await until("the developer is at work", () => plan.isUp());
  if (isLinux) {
    expect(plan.children().length).toBeGreaterThan(0);
    expect(keysSeen(live)).toEqual([]);
  }
  plan.letGo();
  const ended = await live.ended;
  expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
  return ended;
}

function expectLooked(plan: ReturnType<typeof meteredProject>): void {
  const notes = plan.notes();
  expect(notes.length).toBeGreaterThan(0);
  for (const { env, parents, files } of notes) {
    expect(env).toMatchObject({ ANTHROPIC_API_KEY: expect.stringMatching(/^sk-/) });
    if (isLinux) expect((parents as string[]).some((line) => line.includes("main.js"))).toBe(true);
    expect((files as string[]).join("")).toContain("reportSchema");
  }
  for (const name of ["rules.json.gate", "setup.env", "git.env"]) {
    expect(existsSync(join(plan.folder, name)), name).toBe(true);
  }
}

describe("behind the proxy a key is nowhere but in the program", () => {
  it("with commands as agents", async () => {
    const rules = [
      asks("develop", `${looking}${untilLetGo} await messages(); await responses();`),
      ...everyRole,
    ];
    const { plan, path } = watched({ rules });
    const upstream = await startUpstream();
    const ended = await runWatched(plan, { ...keysAt(upstream.url), PATH: path });
    expectLooked(plan);
    expectNowhere(plan, ended);
    expect(new Set(upstream.asked.map(({ key }) => key))).toEqual(new Set([anthropicKey, openaiKey]));
  });

  it("with claude", async () => {
    const claude = { backend: "claude-code", env: ["TEST_AGENT"] };
    const agents = { developer: claude, reviewer: claude, orchestrator: claude };
    const rules = [asks("develop", `${looking}${untilLetGo} await messages();`), ...everyRole];
    const { plan, path } = watched({ rules, config: { agents } });
    const upstream = await startUpstream();
    const ended = await runWatched(plan, { ...keysAt(upstream.url), PATH: `${fakeClaude(plan)}:${path}` });
    expectLooked(plan);
    expectNowhere(plan, ended);
  });

  it("also where the service says it back", async () => {
    const rules = [asks("develop", "console.log((await messages()).text);", { raw: "no report" })];
    const { plan } = watched({ rules: [...rules, ...everyRole], config: { maxAttempts: 1 } });
    const upstream = await startUpstream((asked, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(
        JSON.stringify({ model: "claude-sonnet-5-5", said: asked.key, usage: { input_tokens: 1 } }),
      );
    });
    const ended = await plan.run(["run", plan.slug], { env: keysAt(upstream.url) });
    expect(ended.exitCode).toBe(4);
    expect(upstream.asked[0]?.key).toBe(anthropicKey);
    expect(plan.read("attempts/a/1/transcript.jsonl")).toContain("said");
    expectNowhere(plan, ended);
  });
});

describe.each([true, false])("our own loop (metering proxy: %s)", (meteringProxy) => {
  it("gives the key to no command that the model runs", async () => {
    const own = { backend: "anthropic", model: "claude-sonnet-5-5" };
    const agents = { developer: own, reviewer: own, orchestrator: own };
    const { plan, path } = watched({ config: { agents, meteringProxy } });
    const beside = `${plan.folder}/rules.json`;
    const wait = `touch ${beside}.up; while [ ! -e ${beside}.go ]; do sleep 0.05; done`;
    const command = `env > ${plan.folder}/bash.env; cat /proc/self/environ >> ${plan.folder}/bash.env; ${wait}`;
    const server = await startAnthropicServer((body, index) => {
      if (index === 0) return { content: [call("bash", { command })] };
      return index === 1 ? develop("Make the file a.txt", false) : work(body);
    });
    const env = { ANTHROPIC_API_KEY: anthropicKey, ANTHROPIC_BASE_URL: server.url, PATH: path };
    const live = plan.start(["run", plan.slug], { env });
    await until("the command runs", () => plan.isUp());
    if (isLinux) expect(keysSeen(live)).toEqual([]);
    plan.letGo();
    const ended = await live.ended;
    expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
    expect(readFileSync(join(plan.folder, "bash.env"), "utf8")).toContain("EXECUTE_PRD_ROLE=developer");
    expectNowhere(plan, ended);
    for (const { headers } of server.asked) expect(headers["authorization"]).toBe(`Bearer ${anthropicKey}`);
  });
});

const hasBubblewrap = spawnSync("bwrap", ["--ro-bind", "/", "/", "--unshare-pid", "true"]).status === 0;

describe.runIf(hasBubblewrap)("in the sandbox", () => {
  it("the proxy is reached, and not even the program's own environment shows a key", async () => {
    const code = `
      const tree = fs.readdirSync("/proc").filter((name) => /^\\d+$/.test(name));
      const read = (pid) => { try { return fs.readFileSync("/proc/" + pid + "/environ", "latin1"); } catch { return ""; } };
      const seen = tree.map(read).join("");
      const got = await messages();
      const isThere = ${JSON.stringify(forms)}.some((form) => seen.includes(form));
      fs.writeFileSync("seen.json", JSON.stringify({ isThere, own: seen.includes("EXECUTE_PRD_ROLE"), status: got.status }));`;
    const rules = [asks("develop", code), ...everyRole];
    const plan = meteredProject({ rules, config: { sandbox: "required" } });
    const upstream = await startUpstream();
    const ended = await plan.run(["run", plan.slug], { env: keysAt(upstream.url) });
    expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
    const seen = JSON.parse(plan.git(["show", `${plan.branch}:seen.json`]));
    expect(seen).toEqual({ isThere: false, own: true, status: 200 });
    expect(plan.status()).toMatchObject({ usage: { costBasis: "measured" } });
  });
});

if (!hasBubblewrap)
  it("agents behind the proxy in the sandbox: skipped, for want of bubblewrap", () =>
    expect(hasBubblewrap).toBe(false));
