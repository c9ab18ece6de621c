// Looking in a commit for the files and names that a task speaks of.

import type { Failure } from "../../core/failure.ts";
import type { Sha } from "../../core/ids.ts";
import type { OwnLook } from "../../core/own-look.ts";
import { nothingSeen } from "../../core/own-look.ts";
import type { Result } from "../../core/result.ts";
import { success } from "../../core/result.ts";
import type { GitRun } from "./git-run.ts";
import { pathsAt } from "./inspect.ts";
import { runGit } from "./run-git.ts";

const filesNamed = 5;

export async function lookFor(
  run: GitRun,
  at: { readonly commit: Sha; readonly paths: readonly string[]; readonly names: readonly string[] },
): Promise<Result<OwnLook, Failure>> {
  if (at.paths.length + at.names.length === 0) return success(nothingSeen);
  const present = at.paths.length === 0 ? success(new Set<string>()) : await pathsAt(run, at);
  if (!present.ok) return present;
  const files = at.paths.map((path) => ({ path, exists: present.value.has(path) }));
  const names: OwnLook["names"][number][] = [];
  for (const name of at.names) {
    const found = await filesWith(run, at.commit, name);
    if (!found.ok) return found;
    names.push({ name, foundIn: found.value });
  }
  return success({ files, names });
}

async function filesWith(
  run: GitRun,
  commit: Sha,
  name: string,
): Promise<Result<readonly string[], Failure>> {
  const found = await runGit({
    gitDir: run.commonDir,
    args: ["grep", "-l", "-z", "-w", "-I", "-F", "-e", name, commit],
    okCodes: [0, 1],
    doing: `looking for "${name}" in ${commit}`,
  });
  if (!found.ok) return found;
  const paths = found.value.stdout.toString("utf8").split("\0").filter(Boolean);
  return success(paths.slice(0, filesNamed).map((path) => path.slice(commit.length + 1)));
}
