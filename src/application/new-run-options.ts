// What a builder can say of a new run alone. The same command line goes on with a run after a kill, so these are no
// error there; they are told to be without effect.

import { problem, type Refusal, refuse } from "./refusal.ts";
import type { StartListener } from "./run-handle.ts";

export interface NewRunOptions {
  /** Archives an earlier run that has ended, and takes another branch. */
  readonly fresh?: boolean;
  /** Takes every task as pending, whatever the plan claims. */
  readonly redo?: boolean;
  /** Commit or branch to start from; default: HEAD. */
  readonly base?: string;
  readonly branch?: string;
}

export function tellNewRunOptions({ redo, base, branch }: NewRunOptions, listener: StartListener): void {
  const given = [
    ...(redo === true ? ["--redo"] : []),
    ...(base === undefined ? [] : ["--base"]),
    ...(branch === undefined ? [] : ["--branch"]),
  ];
  if (given.length === 0) return;
  listener.onTrouble?.(
    `${given.join(", ")}: of no effect, because the run has begun; "run --fresh" starts another`,
  );
}

/** null: nothing is said that a run which goes on cannot be. */
export function refuseFresh({ fresh }: NewRunOptions, slug: string): Refusal | null {
  if (fresh !== true) return null;
  return refuse([
    problem({
      path: "--fresh",
      expected: "a run to go on with, and --fresh is another one",
      hint: `execute-prd run ${slug} --fresh`,
    }),
  ]);
}
