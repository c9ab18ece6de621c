// Finding a run by its slug. Apart from finding plans, so that `status` need not load what reads a PRD.

import { type FoundRun, lookAtRun } from "../adapters/run-folder.ts";
import { isSlug, type Slug } from "../core/ids.ts";
import { failed, type Result, success } from "../core/result.ts";
import { problem, type Refusal, refuse } from "./refusal.ts";

/** The run of a slug, which must have a journal. */
export function findRun(at: { checkout: string; slug: string }): Result<FoundRun, Refusal> {
  const isPossible = isSlug(at.slug);
  const run = isPossible ? lookAtRun(at.checkout, at.slug as Slug) : null;
  if (run?.hasJournal === true) return success(run);
  return failed(
    refuse([
      problem({
        file: `dev/executions/${at.slug}`,
        value: at.slug,
        expected: "the slug of a run",
        hint: 'see "execute-prd status" for the runs there are, "execute-prd run <plan>" to start one',
      }),
    ]),
  );
}
