// Configurations and command lines that cannot work: refused with the way out, and nothing is changed.
import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { agentPath, type Project, project } from "./support/e2e-project.ts";
import { expectRefused, toProblems } from "./support/refusal.ts";
import { snapshot } from "./support/snapshot.ts";

const agent = { backend: "command", command: ["node", agentPath] };

interface Bad {
  readonly name: string;
  readonly config: object;
  readonly words: readonly (RegExp | string)[];
  readonly path: string;
}

const bad: readonly Bad[] = [
  {
    name: "an unknown key",
    config: { concurency: 2 },
    words: [/did you mean.*concurrency/i],
    path: "concurency",
  },
  {
    name: "an unknown key further down",
    config: { budget: { usdd: 2 } },
    words: [/did you mean.*usd/i],
    path: "budget.usdd",
  },
  {
    name: "a number that is none",
    config: { maxAttempts: "3" },
    words: ["maxAttempts"],
    path: "maxAttempts",
  },
  {
    name: "a word that is none of those it may be",
    config: { onTaskFailure: "go on" },
    words: ["continue", "stop"],
    path: "onTaskFailure",
  },
  {
    name: "an agent program that is missing",
    config: { agents: { developer: { backend: "command", command: ["no-such-agent-program"] } } },
    words: ["no-such-agent-program", "PATH"],
    path: "agents.developer",
  },
  {
    name: "no developer",
    config: { agents: { reviewer: agent } },
    words: ["developer"],
    path: "agents.developer",
  },
  {
    name: "a fallback that is not configured",
    config: { agents: { developer: { ...agent, fallback: "secnd" }, second: agent } },
    words: [/did you mean.*second/i],
    path: "agents.developer.fallback",
  },
  {
    name: "a gate program that is missing",
    config: { gates: [{ name: "lint", command: "no-such-linter --all" }] },
    words: ["no-such-linter", "PATH"],
    path: "gates[0].command",
  },
  {
    name: "two gates of one name",
    config: {
      gates: [
        { name: "t", command: "node check.mjs" },
        { name: "t", command: "node check.mjs" },
      ],
    },
    words: ["gates"],
    path: "gates[1].name",
  },
  { name: "no gates to be found", config: { gates: undefined }, words: [/gate/], path: "gates" },
];

describe("a configuration with", () => {
  it.each(bad)("$name is refused", async ({ config, words, path }) => {
    const plan = project({ config });
    const problems = await expectRefused(plan, { words: ["execute-prd.config.json", ...words] });
    expect(problems.map((each) => each.path)).toContain(path);
  });

  it("JSON that is broken is refused with line and column", async () => {
    const plan = project();
    writeFileSync(join(plan.checkout, "execute-prd.config.json"), '{\n  "agents": {,\n}');
    await expectRefused(plan, { words: ["execute-prd.config.json", /line 2/, /column/] });
  });

  it("a worktreeRoot inside of the checkout, that is a file, or in which nobody can write, is refused", async () => {
    const plan = project();
    // Root has the permission to write there.
    const unwritable = existsSync("/proc/self") ? [["/proc/trees", "a writable folder"] as const] : [];
    for (const [worktreeRoot, word] of [
      ["trees", "outside"],
      [".", "outside"],
      [join(plan.checkout, ".git", "trees"), "outside"],
      [join(plan.folder, "rules.json"), "file"],
      [join(plan.folder, "rules.json", "below"), "file"],
      ...unwritable,
    ] as const) {
      plan.setConfig({ worktreeRoot });
      const problems = await expectRefused(plan, { words: ["worktreeRoot", word] });
      expect(problems[0]?.path).toBe("worktreeRoot");
    }
  });

  it("a link that leads a worktreeRoot into the checkout is refused", async () => {
    const plan = project();
    symlinkSync(plan.checkout, join(plan.folder, "link"));
    plan.setConfig({ worktreeRoot: join(plan.folder, "link", "trees") });
    await expectRefused(plan, { words: ["worktreeRoot"] });
  });

  it("a file that cannot be read is refused", async () => {
    const plan = project();
    const file = join(plan.checkout, "execute-prd.config.json");
    rmSync(file);
    mkdirSync(file);
    await expectRefused(plan, { words: ["execute-prd.config.json"] });
  });

  it("no file at all is refused, with the command that makes one", async () => {
    const plan = project();
    rmSync(join(plan.checkout, "execute-prd.config.json"));
    await expectRefused(plan, { words: ["execute-prd init"] });
  });

  it("an agent that is not executable is refused", async () => {
    const plan = project();
    const program = join(plan.folder, "agent.sh");
    writeFileSync(program, "#!/bin/sh\n");
    chmodSync(program, 0o644);
    plan.setConfig({ agents: { developer: { backend: "command", command: [program] } } });
    await expectRefused(plan, { words: [program] });
  });
});

describe("a command line with", () => {
  const lines: readonly { name: string; args: (plan: Project) => string[]; word: RegExp }[] = [
    { name: "an unknown flag", args: ({ slug }) => ["run", slug, "--freshh"], word: /--freshh/ },
    { name: "an unknown command", args: () => ["runn"], word: /runn/ },
    { name: "no plan", args: () => ["run"], word: /plan/ },
    { name: "one plan too many", args: ({ slug }) => ["run", slug, "other"], word: /too many|argument/ },
    {
      name: "a number that is none",
      args: ({ slug }) => ["run", slug, "--max-attempts", "x"],
      word: /max-attempts/,
    },
    { name: "a count of 0", args: ({ slug }) => ["run", slug, "--concurrency", "0"], word: /concurrency/ },
    { name: "a negative budget", args: ({ slug }) => ["run", slug, "--budget-usd=-5"], word: /budget-usd/ },
    {
      name: "an agent that is not there",
      args: ({ slug }) => ["run", slug, "--agent", "nobody"],
      word: /nobody/,
    },
    {
      name: "a base that is not there",
      args: ({ slug }) => ["run", slug, "--base", "nowhere"],
      word: /nowhere/,
    },
    {
      name: "a folder that is not there",
      args: ({ slug }) => ["run", slug, "--cwd", "/no/such/folder"],
      word: /no\/such/,
    },
    { name: "a slug that climbs", args: () => ["resume", "../../etc"], word: /slug of a run/ },
  ];
  it.each(lines)("$name is refused", async ({ args, word }) => {
    const plan = project();
    await expectRefused(plan, { args: args(plan), words: [word] });
  });

  it("nothing shows what there is", async () => {
    const plan = project();
    const ended = await plan.run([]);
    expect(ended.stdout + ended.stderr).toContain("run [options] <plan>");
  });
});

describe("from inside of an agent", () => {
  it("commands that change a run are refused, those that look are not", async () => {
    const plan = project();
    const inside = { env: { EXECUTE_PRD_ROLE: "developer" } };
    const { slug } = plan;
    const changing = [
      ["run", slug],
      ["resume", slug],
      ["pause", slug],
      ["answer", slug, "approve"],
      ["retry", slug, "a"],
      ["skip", slug, "a", "--reason", "x"],
      ["cancel", slug],
      ["clean", slug],
    ];
    const before = snapshot(plan.folder);
    for (const args of changing) {
      const ended = await plan.run([...args, "--json"], inside);
      expect.soft(ended.exitCode, args.join(" ")).toBe(2);
      expect.soft(toProblems(ended)[0]?.hint ?? "", args.join(" ")).toMatch(/agent/);
    }
    expect((await plan.run(["validate", slug], inside)).exitCode).toBe(0);
    expect(snapshot(plan.folder)).toEqual(before);
  });
});
