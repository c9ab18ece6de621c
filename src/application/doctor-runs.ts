// What `doctor` says of runs: locks of dead programs, journals that do not fold, lanes and refs that no run here
// answers for, and what is safe to do about each. Nothing is changed.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { listRunRefs } from "../adapters/git/clean.ts";
import type { Checkout } from "../adapters/git/inspect.ts";
import { readJournal } from "../adapters/journal-file.ts";
import { readOwner, wordOwner } from "../adapters/owner.ts";
import { type FoundRun, folderNames, listRuns, runsFolder } from "../adapters/run-folder.ts";
import { readRegularFile } from "../adapters/storage.ts";
import { describe } from "../core/failure.ts";
import { type CommandCheck, ok, toChecks } from "./doctor-check.ts";
import { findPolicy } from "./policy.ts";
import { worktreeRootOf } from "./preflight.ts";
import { readRunState } from "./read-run.ts";

export async function checkRuns(checkout: Checkout): Promise<readonly CommandCheck[]> {
  const runs = listRuns(checkout.topLevel);
  if (!runs.ok) return [trouble("runs", describe(runs.failure), "make the folder readable")];
  const known = knownRunIds(checkout.topLevel, runs.value);
  return [
    ...runs.value.filter(({ hasJournal }) => hasJournal).flatMap(checkRun),
    ...checkBranchLocks(checkout),
    ...(await checkLanes(checkout, known)),
    ...(await checkRefs(checkout, known)),
  ];
}

function trouble(name: string, detail: string, fix: string): CommandCheck {
  return { name, state: "problem", detail, fix };
}

function checkRun(run: FoundRun): readonly CommandCheck[] {
  const name = `run ${run.slug}`;
  const state = readRunState(run.folder);
  if (!state.ok) return toChecks(name, state.failure);
  const { kind } = state.value.phase;
  const { state: owner, owner: who } = run.ownership;
  if (owner === "gone") {
    const whose = who === null ? "a program" : wordOwner(who);
    const fix = `safe: execute-prd resume ${run.slug} takes it over and goes on`;
    return [trouble(name, `${kind}, and its lock is of ${whose}, which is gone`, fix)];
  }
  if (owner === "none" && (kind === "running" || kind === "queued")) {
    return [trouble(name, `${kind}, but nobody owns it`, `safe: execute-prd resume ${run.slug}`)];
  }
  if (!existsSync(join(run.folder, folderNames.status))) {
    return [trouble(name, "status.json is missing", `safe: execute-prd rebuild ${run.slug}`)];
  }
  return [ok(name, `${kind}, owner ${owner}`)];
}

function checkBranchLocks({ gitCommonDir }: Checkout): readonly CommandCheck[] {
  const folder = join(gitCommonDir, "execute-prd", "branches");
  return namesIn(folder).flatMap((name) => {
    const { state, owner } = readOwner(join(folder, name));
    if (state !== "gone") return [];
    const about = owner === null ? name : `${owner.about}, of ${wordOwner(owner)}`;
    return [
      trouble("branch lock", `${about}, which is gone`, "safe: the next start on this branch takes it over"),
    ];
  });
}

/** Ids of every run that has a journal here, archived ones as well. */
function knownRunIds(checkout: string, runs: readonly FoundRun[]): ReadonlySet<string> {
  const archive = join(runsFolder(checkout), folderNames.archive);
  const folders = [
    ...runs.map(({ folder }) => folder),
    ...namesIn(archive).map((name) => join(archive, name)),
  ];
  const ids = new Set<string>();
  for (const folder of folders) {
    const read = readJournal({ folder });
    for (const id of read.ok ? [read.value.header.runId] : namedRunIds(folder)) ids.add(id);
  }
  return ids;
}

/** What a damaged journal and the status beside it still say: its lanes and refs may be the only copy of its work. */
function namedRunIds(folder: string): readonly string[] {
  return [folderNames.journal, folderNames.status].flatMap((name) => {
    try {
      const text = readRegularFile(join(folder, name)).subarray(0, namedWithinBytes).toString("latin1");
      return /"runId": ?"([^"]+)"/.exec(text)?.[1] ?? [];
    } catch {
      return []; // there is none
    }
  });
}

const namedWithinBytes = 4096;

async function checkLanes(checkout: Checkout, known: ReadonlySet<string>): Promise<readonly CommandCheck[]> {
  const found = await findPolicy(checkout.topLevel, {});
  const policy = found.ok ? found.value.policy : { worktreeRoot: "" };
  const root = worktreeRootOf(checkout.mainWorktree ?? checkout.topLevel, policy);
  return namesIn(root).flatMap((name) => {
    const folder = join(root, name);
    const runId = runIdOfLanes(folder, checkout.gitCommonDir);
    if (runId === null || known.has(runId)) return [];
    const fix = `its refs keep what was committed; look at "${folder}" for uncommitted work, then remove it and run "git worktree prune"`;
    return [
      trouble("orphan lanes", `"${folder}" belongs to run ${runId}, of which there is no journal here`, fix),
    ];
  });
}

/** The marker that a run puts into its folder of trees; null: not one of this repository's. */
function runIdOfLanes(folder: string, gitCommonDir: string): string | null {
  try {
    const marker: unknown = JSON.parse(readFileSync(join(folder, ".execute-prd"), "utf8"));
    if (typeof marker !== "object" || marker === null) return null;
    const { runId, repository } = marker as { runId?: unknown; repository?: unknown }; // looked at right here
    return typeof runId === "string" && repository === gitCommonDir ? runId : null;
  } catch {
    return null;
  }
}

async function checkRefs(checkout: Checkout, known: ReadonlySet<string>): Promise<readonly CommandCheck[]> {
  const listed = await listRunRefs(checkout.gitCommonDir);
  if (!listed.ok) return [trouble("refs", describe(listed.failure), "see the git error")];
  return [...listed.value]
    .filter(([runId]) => !known.has(runId))
    .map(([runId, count]) => {
      const fix = `unproven: they may be the only copy of that run's attempts; list them with "git for-each-ref refs/execute-prd/${runId}" and delete what you do not want`;
      return trouble(
        "unproven refs",
        `${count} ref(s) of run ${runId}, of which there is no journal here`,
        fix,
      );
    });
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // there is none
  }
}
