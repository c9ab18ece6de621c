// A real repository in a folder of its own, with a home of its own, so that no configuration of this machine is seen.
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { dispatchIdentity } from "../../src/adapters/git/dispatch-identity.ts";
import type { RepositoryOptions, SetupEnd } from "../../src/adapters/git/git-run.ts";
import { createRepository, type GitRepository } from "../../src/adapters/git/repository.ts";
import type { CandidateStarted } from "../../src/core/event.ts";
import { describe, type Failure } from "../../src/core/failure.ts";
import type { RunId, Sha, TaskId } from "../../src/core/ids.ts";
import type { Result } from "../../src/core/result.ts";
import { makeTemporaryFolder, temporaryFolder } from "./temporary-folder.ts";

const home = makeTemporaryFolder();
process.env["HOME"] = home;
process.env["XDG_CONFIG_HOME"] = join(home, "config");
process.on("exit", () => rmSync(home, { recursive: true, force: true }));
writeFileSync(
  join(home, ".gitconfig"),
  "[user]\n\tname = Builder\n\temail = builder@example.com\n[init]\n\tdefaultBranch = main\n[advice]\n\tdetachedHead = false\n",
);

export interface GitFixture {
  /** Holds everything of the test. */
  readonly folder: string;
  readonly checkout: string;
  readonly commonDir: string;
  /** Runs git as the builder (in the checkout, unless `cwd` says otherwise); throws when it fails. */
  git(args: readonly string[], at?: { cwd?: string; env?: Record<string, string>; input?: string }): string;
  write(files: Readonly<Record<string, string>>, folder?: string): void;
  /** Writes the files, commits everything and returns the commit. */
  commit(files: Readonly<Record<string, string>>, message?: string): Sha;
  head(ref?: string): Sha;
}

export const runId = "20260102T030405Z-abcdef" as RunId; // has the form of one
export const refPrefix = `refs/execute-prd/${runId}/task-1/1`;
export const never = new AbortController().signal;
export const agent = dispatchIdentity("d1", runId);

export function gitFixture(
  files: Readonly<Record<string, string>> = { "README.md": "hello\n" },
  objectFormat: "sha1" | "sha256" = "sha1",
): GitFixture {
  const folder = temporaryFolder();
  const checkout = join(folder, "project");
  mkdirSync(checkout);
  const fixture = openFixture(folder, checkout);
  fixture.git(["init", "--quiet", `--object-format=${objectFormat}`]);
  if (Object.keys(files).length > 0) fixture.commit(files, "first");
  return fixture;
}

function openFixture(folder: string, checkout: string): GitFixture {
  const git: GitFixture["git"] = (args, at = {}) =>
    execFileSync("git", args, {
      cwd: at.cwd ?? checkout,
      env: { ...process.env, ...at.env },
      encoding: "utf8",
      stdio: ["pipe", "pipe", "pipe"],
      ...(at.input === undefined ? {} : { input: at.input }),
    }).trimEnd();
  const write: GitFixture["write"] = (wanted, into = checkout) => {
    for (const [name, text] of Object.entries(wanted)) {
      mkdirSync(dirname(join(into, name)), { recursive: true });
      writeFileSync(join(into, name), text);
    }
  };
  const head: GitFixture["head"] = (ref = "HEAD") => git(["rev-parse", ref]) as Sha; // git prints a full sha
  return {
    folder,
    checkout,
    commonDir: join(checkout, ".git"),
    git,
    write,
    head,
    commit(wanted, message = "change") {
      write(wanted);
      git(["add", "-A"]);
      git(["commit", "--quiet", "--allow-empty", "-m", message]);
      return head();
    },
  };
}

export interface RepositoryFixture extends GitFixture {
  readonly options: RepositoryOptions;
  readonly repository: GitRepository;
  /** Commands that were run as set-up, with the tree. */
  readonly setups: { command: string; cwd: string; env: Readonly<Record<string, string>> }[];
  /** The same run as another start of the program sees it. */
  restart(): GitRepository;
  /** Where the lane's trees and the holder lie. */
  readonly runRoot: string;
}

/** A repository with a run on it. `setup` is done instead of a set-up command. */
export function repositoryFixture(
  files?: Readonly<Record<string, string>>,
  setup: (cwd: string) => SetupEnd | undefined = () => undefined,
  objectFormat: "sha1" | "sha256" = "sha1",
): RepositoryFixture {
  const fixture = gitFixture(files, objectFormat);
  const setups: RepositoryFixture["setups"] = [];
  const options: RepositoryOptions = {
    gitCommonDir: fixture.commonDir,
    checkout: fixture.checkout,
    worktreeRoot: join(fixture.folder, "project.worktrees"),
    runId,
    slug: "plan",
    runFolder: join(fixture.folder, "run"),
    runSetup: async ({ command, cwd, env }) => {
      setups.push({ command, cwd, env });
      return setup(cwd) ?? { kind: "ended", exitCode: 0, tail: "" };
    },
  };
  mkdirSync(options.runFolder);
  return {
    ...fixture,
    options,
    setups,
    repository: createRepository(options),
    restart: () => createRepository(options),
    runRoot: join(options.worktreeRoot, `plan-${runId}`),
  };
}

export function toValue<Value>(result: Result<Value, Failure>): Value {
  if (!result.ok) throw new Error(describe(result.failure));
  return result.value;
}

export function failureOf(result: Result<unknown, Failure>): Failure {
  if (result.ok) throw new Error(`expected a failure, got ${JSON.stringify(result.value)}`);
  return result.failure;
}

export function intentOf(at: { base: Sha; tree: Sha; message?: string; replayOf?: Sha }): CandidateStarted {
  return {
    kind: "candidate-started",
    taskId: "task-1" as TaskId, // has the form of one
    attempt: 1,
    lane: 1,
    base: at.base,
    tree: at.tree,
    message: at.message ?? "Do the task\n",
    replayOf: at.replayOf ?? null,
  };
}

/** An executable script; it is put in the fixture's folder and its path returned. */
export function scriptIn(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

/** Sets environment variables for the rest of the test. */
export function withEnvironment(variables: Readonly<Record<string, string>>): void {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  onTestFinished(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
}

export function textOf(path: string): string | null {
  return existsSync(path) ? readFileSync(path, "utf8") : null;
}
