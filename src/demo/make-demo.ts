// Makes the demo's repository: a small real project with one commit, a plan, and agents that play scripts.
//
// The commit is the same bytes on every machine: nothing of the builder's git configuration, identity, clock or
// environment goes into it.

import { spawn } from "node:child_process";
import { mkdir, realpath, writeFile } from "node:fs/promises";
import { devNull } from "node:os";
import { dirname, join } from "node:path";
import { toProjectFiles } from "./project-files.ts";

export interface DemoPlace {
  /** Absolute, links resolved: the repository. */
  readonly checkout: string;
  readonly slug: string;
  /** Where the run's trees will be: beside the repository, in the same folder. */
  readonly worktreeRoot: string;
}

const demoSlug = "fishing-cat";

/** What a whole run of the demo comes to. */
export const demoOutcome = {
  branch: "feature/fishing-cat",
  tasks: ["task-1", "task-2", "task-3", "task-4", "task-5"],
  followUp: "follow-up-1-1",
  sentBackByGate: { taskId: "task-2", attempt: 1, gate: "tests" },
  sentBackByReview: { taskId: "task-3", attempt: 1 },
  /** Prints what was built, in a tree of the branch. */
  show: ["node", "bin/tide-table.js"],
} as const;

/**
 * Makes the repository in `folder`, which exists and has nothing of the name in it. Throws when a file cannot be
 * written or git cannot do its part; the message says what and why.
 */
export async function makeDemo(folder: string): Promise<DemoPlace> {
  const checkout = join(await realpath(folder), "tide-table");
  await mkdir(checkout);
  for (const [name, text] of Object.entries(toProjectFiles(demoSlug))) {
    const file = join(checkout, ...name.split("/"));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  // Neither a template of the machine nor the default hash of a later git may change the commit.
  await git(checkout, ["init", "--quiet", "--template=", "--object-format=sha1", "-b", "main"]);
  await git(checkout, ["add", "--all"]);
  await git(checkout, ["commit", "--quiet", "--message", "Light the lighthouse"]);
  return { checkout, slug: demoSlug, worktreeRoot: `${checkout}.worktrees` };
}

const identity = { name: "The keeper", email: "keeper@puffin-rock.invalid", date: "2026-01-02T03:04:05Z" };

const settings = [`user.name=${identity.name}`, `user.email=${identity.email}`].flatMap((each) => [
  "-c",
  each,
]);

async function git(checkout: string, args: readonly string[]): Promise<void> {
  const { trouble, said } = await new Promise<{ trouble: string | null; said: string }>((resolve) => {
    const child = spawn("git", [...settings, ...args], {
      cwd: checkout,
      env: toGitEnvironment(process.env),
      stdio: ["ignore", "ignore", "pipe"],
      windowsHide: true,
    });
    let text = "";
    child.stderr.on("data", (chunk: Buffer) => {
      if (text.length < 2_000) text += chunk.toString("utf8");
    });
    child.on("error", (cause) => resolve({ trouble: `could not be started: ${cause.message}`, said: text }));
    child.on("close", (code) => resolve({ trouble: code === 0 ? null : `ended with ${code}`, said: text }));
  });
  if (trouble === null) return;
  throw new Error(`making the demo's repository: "git ${args[0]}" ${trouble}. ${said.trim()}`.trim());
}

function toGitEnvironment(outside: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(outside).filter(([name]) => !/^GIT_/i.test(name));
  return {
    ...Object.fromEntries(kept),
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: devNull,
    GIT_AUTHOR_DATE: identity.date,
    GIT_COMMITTER_DATE: identity.date,
  };
}
