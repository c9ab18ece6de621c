// `verify --rerun`: the gates of a completed task again, on its commit, in a tree made for it.

import { createGateRunner } from "../adapters/gates/run.ts";
import type { RepositoryOptions } from "../adapters/git/git-run.ts";
import { checkLane } from "../adapters/git/recheck.ts";
import { createRepository } from "../adapters/git/repository.ts";
import type { Sandbox } from "../adapters/process/confinement.ts";
import type { Failure } from "../core/failure.ts";
import { assert, type Result, success } from "../core/result.ts";
import type { AttemptRecord, RunState } from "../core/state.ts";
import { policyOf } from "../core/state.ts";
import { rerunMismatches } from "../core/verification.ts";
import { judgementOf } from "../views/task-overview.ts";
import { programRedaction } from "./redaction.ts";
import { homesOf } from "./sandbox.ts";

export interface RerunPlace {
  /** Trees and logs lie in a temporary folder. */
  readonly repository: RepositoryOptions;
  readonly sandbox: Sandbox | null;
  readonly state: RunState;
  readonly onProgress: (text: string) => void;
}

/** What ended otherwise than it is recorded. */
export async function rerunGates(
  { repository, sandbox, state, onProgress }: RerunPlace,
  attempt: AttemptRecord,
): Promise<Result<readonly string[], Failure>> {
  const { candidate } = attempt;
  assert(candidate !== null, "a completed task has a commit");
  const { gates, setup } = policyOf(state);
  const signal = new AbortController().signal;
  const trees = createRepository(repository);
  const runner = createGateRunner({
    ...repository,
    environment: process.env,
    redaction: programRedaction(),
    homes: homesOf(repository),
    sandbox,
  });
  const mismatches: string[] = [];
  let keep = false;
  for (const recorded of attempt.gates) {
    const known = gates.find(({ name }) => name === recorded.gate);
    if (known === undefined || known.command !== recorded.command) {
      mismatches.push(`gate "${recorded.gate}" (${recorded.command}) is no longer configured so`);
      continue;
    }
    onProgress(`running gate ${recorded.gate} on ${candidate.commit}`);
    const at = { lane: checkLane, commit: candidate.commit, setup, keep, baseVersions: null };
    const ready = await trees.prepareCheck(at, signal);
    if (!ready.ok) return ready;
    keep = true;
    const log = `${attempt.number}-${recorded.gate}.log`;
    const dispatch = `verify-${candidate.commit}-${recorded.gate}`;
    const answer = await runner.run({ gate: known, cwd: ready.value.path, log, dispatch }, signal, () => {});
    assert(answer.kind === "ran", "nobody interrupts a look");
    mismatches.push(
      ...rerunMismatches({ recorded, judgement: judgementOf(attempt, recorded), now: answer.result }),
    );
  }
  return success(mismatches);
}
