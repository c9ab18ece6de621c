// The one way to run git: exit codes matched exactly, contention waited for, time bounded, children left in peace.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { knownPrograms } from "../../../src/adapters/agents/logins.ts";
import { keyVariables } from "../../../src/adapters/agents/program-variables.ts";
import { waitForOwnGit } from "../../../src/adapters/git/own-git.ts";
import { readGit, runGit } from "../../../src/adapters/git/run-git.ts";
import { serviceKeys } from "../../../src/adapters/process/environment.ts";
import { compile } from "../../support/compile.ts";
import { failureOf, gitFixture, scriptIn, toValue, withEnvironment } from "../../support/git-fixture.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const doing = "testing";

/** A folder on PATH in which `git` is this script. */
function standIn(text: string): string {
  const tools = temporaryFolder();
  scriptIn(tools, "git", `#!/bin/sh\n${text}\n`);
  withEnvironment({ PATH: `${tools}:${process.env["PATH"]}` });
  return tools;
}

test("an exit code that was not expected is a failure with git's own words", async () => {
  const at = gitFixture();
  const call = { gitDir: at.commonDir, args: ["rev-parse", "--verify", "refs/heads/none"], doing };
  expect(failureOf(await runGit(call))).toMatchObject({ reason: "git-failed", doing, exitCode: 128 });
  const diff = { gitDir: at.commonDir, args: ["diff", "--no-index", "--quiet", "/dev/null", "HEAD"], doing };
  expect(failureOf(await runGit(diff))).toMatchObject({ exitCode: 1 });
  expect(toValue(await runGit({ ...diff, okCodes: [0, 1] })).exitCode).toBe(1);
});

test("the environment of the outside does not reach git, in any language", async () => {
  withEnvironment({
    GIT_DIR: "/x",
    GIT_TRACE: "1",
    GIT_CONFIG_COUNT: "9",
    LC_ALL: "de_DE.UTF-8",
    EXECUTE_PRD_ROLE: "x",
    ANTHROPIC_API_KEY: "k",
    OPENAI_API_KEY: "k",
    OTHER_TOKEN: "k",
  });
  standIn("env");
  const environment = toValue(await readGit({ gitDir: "/", args: ["version"], doing })).split("\n");
  const names = environment
    .map((line) => line.split("=")[0])
    .filter((name) => /^(GIT|EXECUTE_PRD)_/.test(name ?? ""));
  expect(names.toSorted()).toEqual([
    "EXECUTE_PRD_GIT",
    "GIT_AUTHOR_EMAIL",
    "GIT_AUTHOR_NAME",
    "GIT_COMMITTER_EMAIL",
    "GIT_COMMITTER_NAME",
    "GIT_EDITOR",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OPTIONAL_LOCKS",
    "GIT_TERMINAL_PROMPT",
  ]);
  expect(environment).toContain("LC_ALL=C");
  expect(environment.filter((line) => line.endsWith("=k"))).toEqual(["OTHER_TOKEN=k"]);
});

test("no key that an agent program is known to use is left in git's environment", () => {
  const backends = ["claude-code", "codex", "gemini", "opencode"] as const;
  const keys = [...backends.flatMap(keyVariables), ...knownPrograms.flatMap((known) => known.keys)];
  expect(keys.filter((name) => !name.endsWith("_URL") && !serviceKeys.includes(name))).toEqual([]);
});

test("everything is flushed, and hooks and monitors are off", async () => {
  standIn('for word in "$@"; do echo "$word"; done');
  const words = toValue(await readGit({ gitDir: "/", workTree: "/tmp", args: ["status"], doing })).split(
    "\n",
  );
  for (const word of [
    "--no-pager",
    "core.fsync=all",
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "gc.auto=0",
  ]) {
    expect(words).toContain(word);
  }
  expect(words.slice(-3)).toEqual(["--git-dir=/", "--work-tree=/tmp", "status"]);
});

test("a lock held by another git is waited for", async () => {
  const at = gitFixture();
  const lock = join(at.commonDir, "refs", "heads", "x.lock");
  writeFileSync(lock, "");
  setTimeout(() => rmSync(lock), 200);
  toValue(await runGit({ gitDir: at.commonDir, args: ["update-ref", "refs/heads/x", at.head()], doing }));
  expect(at.head("x")).toBe(at.head());
});

test("a git that takes too long is ended and is a failure", async () => {
  standIn("exec sleep 60");
  const failure = failureOf(await runGit({ gitDir: "/", args: ["version"], doing, timeoutMs: 100 }));
  expect(failure).toMatchObject({
    reason: "git-failed",
    exitCode: null,
    detail: "still running after 100 ms",
  });
});

test("a git that cannot be started is a failure that says where", async () => {
  const failure = failureOf(await runGit({ gitDir: "/", cwd: "/not/there", args: ["version"], doing }));
  expect(failure).toMatchObject({ reason: "git-failed", exitCode: null });
  expect(JSON.stringify(failure)).toContain("/not/there");
});

test("a git that does not read its input is judged by its exit code", async () => {
  standIn("exit 0");
  const input = "x".repeat(4 * 1024 * 1024);
  expect(toValue(await runGit({ gitDir: "/", args: ["version"], input, doing })).exitCode).toBe(0);
});

test("a git outlives its program and the program's killed group, and the next start waits for it", async () => {
  const at = gitFixture();
  const release = join(at.folder, "release");
  standIn(`while [ ! -e "${release}" ]; do sleep 0.05; done`);
  const script = compile(new URL("../../support/git-puppet.ts", import.meta.url), temporaryFolder());
  const program = spawn(process.execPath, [script, at.commonDir], {
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  await once(program.stdout, "data");
  // The whole group, as a terminal or a supervisor does it.
  process.kill(-(program.pid ?? 0), "SIGKILL");
  await once(program, "exit");
  expect(await waitForOwnGit(at.commonDir, 100)).toBeGreaterThan(0);
  const waiting = waitForOwnGit(at.commonDir, 10_000);
  writeFileSync(release, "");
  expect(await waiting).toBe(0);
});

test("a git that fails because the disk refuses is a failure of the storage, which pauses, not of git", async () => {
  const at = gitFixture({ "a.txt": "a\n" });
  const refs = join(at.commonDir, "refs");
  const args = ["update-ref", "refs/execute-prd/x", at.head()];
  const call = () => runGit({ gitDir: at.commonDir, args, doing: "keeping it" });
  // A file in the place of the folder: root is refused as well.
  renameSync(refs, `${refs}-away`);
  writeFileSync(refs, "");
  // git knows no repository there; what it says is not read.
  expect(failureOf(await call())).toMatchObject({ reason: "storage-failed", path: refs, code: "ENOTDIR" });
  rmSync(refs);
  renameSync(`${refs}-away`, refs);
  expect((await call()).ok).toBe(true);
  expect(readdirSync(refs).filter((name) => name.startsWith("."))).toEqual([]);
});
