// The demo's repository before any run: always the same commit, a plan and a cast that the program can read.

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { decodeScript } from "../../src/adapters/agents/scripted-file.ts";
import type { AgentStage } from "../../src/core/report.ts";
import { type DemoPlace, demoOutcome, makeDemo } from "../../src/demo/make-demo.ts";
import { configFileName, readConfig } from "../../src/schema/config.ts";
import { readPrd } from "../../src/schema/prd.ts";
import { readReport } from "../../src/schema/report.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const actors = ["developer", "reviewer", "lead"] as const;

test("the repository is one commit on main with nothing left over", async () => {
  const { checkout } = await makeDemo(temporaryFolder());
  expect(git(checkout, "status", "--porcelain", "--ignored")).toBe("");
  expect(git(checkout, "branch", "--format=%(refname)")).toBe("refs/heads/main");
  expect(git(checkout, "log", "--format=%an, %cn: %s")).toBe("The keeper, The keeper: Light the lighthouse");
});

test("the commit is the same wherever and by whomever it is made", async () => {
  const first = await makeDemo(temporaryFolder());
  surroundWithTraps();
  const second = await makeDemo(temporaryFolder());
  expect(readHead(second)).toBe(readHead(first));
});

test("what is in the way is not overwritten, and the trouble is named", async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "tide-table"));
  await expect(makeDemo(folder)).rejects.toThrow(/EEXIST.*tide-table/);
  setEnvironment({ PATH: temporaryFolder() });
  await expect(makeDemo(temporaryFolder())).rejects.toThrow(
    /making the demo's repository: "git init" could not be started/,
  );
});

test("plan and configuration are read without a remark", async () => {
  const { checkout, slug } = await makeDemo(temporaryFolder());
  const prd = readPrd(source(checkout, `dev/work/plans/${slug}/prd.json`));
  if (!prd.ok) throw new Error(JSON.stringify(prd.failure));
  expect(prd.value.told).toEqual([]);
  expect(prd.value.prd.tasks.map(({ id }) => id)).toEqual(demoOutcome.tasks);
  expect(prd.value.prd.branchName).toBe(demoOutcome.branch);
  expect(readConfig(source(checkout, configFileName))).toMatchObject({
    ok: true,
    value: { gates: [{ name: "lint" }, { name: "tests" }] },
  });
});

test("every agent is scripted and says so, where it is configured and where it is described", async () => {
  const { checkout } = await makeDemo(temporaryFolder());
  const config = readConfig(source(checkout, configFileName));
  if (!config.ok) throw new Error(JSON.stringify(config.failure));
  const agents = Object.values(config.value.agents ?? {});
  expect(agents.map(({ backend }) => backend)).toEqual(["scripted", "scripted", "scripted"]);
  for (const { script } of agents) expect(script).toMatch(/^agents\/scripted-/);
  expect(read(checkout, "README.md")).toContain("No model is asked here");
});

test.each(actors)(
  "the %s's script can be played, and each of its reports is one of its stage",
  async (actor) => {
    const { checkout } = await makeDemo(temporaryFolder());
    const file = `agents/scripted-${actor}.json`;
    const script = decodeScript(readFileSync(join(checkout, file)), file);
    if (!script.ok) throw new Error(script.failure.join("\n"));
    const { steps = [], otherwise = {} } = script.value;
    const spoken = [
      ...steps.map(({ when, report }) => ({ stage: when?.stage, report })),
      ...Object.entries(otherwise).map(([stage, report]) => ({ stage: stage as AgentStage, report })), // decoded
    ];
    expect(spoken.length).toBeGreaterThan(3);
    for (const { stage = "develop", report } of spoken) {
      expect(readReport(reportSource(stage, report))).toMatchObject({ ok: true, value: { usage: null } });
    }
  },
);

function reportSource(stage: AgentStage, report: unknown): Parameters<typeof readReport>[0] {
  const taskIds = demoOutcome.tasks.map((id) => id as never); // branded in core; these are the plan's
  return { stage, bytes: Buffer.from(JSON.stringify(report)), round: 1, criteriaCount: 3, taskIds };
}

/** Configuration and variables of a builder that would change every commit. */
function surroundWithTraps(): void {
  const home = temporaryFolder();
  mkdirSync(join(home, "template", "hooks"), { recursive: true });
  writeFileSync(join(home, "template", "hooks", "pre-commit"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  writeFileSync(
    join(home, ".gitconfig"),
    `[user]\n\tname = Somebody\n[commit]\n\tgpgSign = true\n[core]\n\tautocrlf = true\n[init]\n\ttemplateDir = ${home}/template\n`,
  );
  setEnvironment({
    HOME: home,
    TZ: "Pacific/Apia",
    GIT_DIR: join(home, "nowhere"),
    GIT_INDEX_FILE: join(home, "index"),
    GIT_AUTHOR_NAME: "Somebody",
    GIT_COMMITTER_DATE: "2001-01-01T00:00:00Z",
    GIT_DEFAULT_HASH: "sha256",
  });
}

function setEnvironment(variables: Readonly<Record<string, string>>): void {
  const before = { ...process.env };
  Object.assign(process.env, variables);
  onTestFinished(() => {
    for (const name of Object.keys(variables)) delete process.env[name];
    Object.assign(process.env, before);
  });
}

/** By plain file reads: git's own view would be changed by what surrounds it. */
function readHead({ checkout }: DemoPlace): string {
  return read(checkout, ".git/refs/heads/main").trim();
}

function git(checkout: string, ...args: string[]): string {
  return execFileSync("git", args, { cwd: checkout, encoding: "utf8" }).trimEnd();
}

function read(checkout: string, name: string): string {
  return readFileSync(join(checkout, name), "utf8");
}

function source(checkout: string, name: string) {
  return { text: readFileSync(join(checkout, name)), file: name };
}
