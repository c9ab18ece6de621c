// `clean`: removes a run's lanes and refs, as far as what they hold is proved to be kept elsewhere. The run folder
// stays: journal, receipts and report are the record.

import { dropHomes } from "../adapters/agents/agent-home.ts";
import { type Cleaned, cleanRun } from "../adapters/git/clean.ts";
import { inspectCheckout } from "../adapters/git/inspect.ts";
import { dispatchVariable, endLeftovers } from "../adapters/process/leftovers.ts";
import { describe } from "../core/failure.ts";
import { markPrefix } from "../core/ids.ts";
import { failed, type Result, success } from "../core/result.ts";
import { checkoutRefusal } from "./checkout-refusal.ts";
import { findRun } from "./find-run.ts";
import { refuseInsideAgent } from "./inside-agent.ts";
import { readRunState } from "./read-run.ts";
import { programRedaction } from "./redaction.ts";
import { problem, type Refusal, refuse } from "./refusal.ts";
import { toPlace } from "./resume.ts";
import { createRunSetup } from "./run-setup.ts";
import { homesOf } from "./sandbox.ts";
import { takeLocks } from "./session.ts";

export type { Cleaned } from "../adapters/git/clean.ts";

export async function cleanUp(at: {
  slug: string;
  cwd?: string;
  force?: boolean;
}): Promise<Result<Cleaned, Refusal>> {
  const inside = refuseInsideAgent();
  if (inside !== null) return failed(inside);
  const checkout = await inspectCheckout(at.cwd ?? process.cwd());
  if (!checkout.ok) return failed(checkoutRefusal(checkout.failure));
  const run = findRun({ checkout: checkout.value.topLevel, slug: at.slug });
  if (!run.ok) return run;
  const state = readRunState(run.value.folder);
  if (!state.ok) return state;
  const place = toPlace({ checkout: checkout.value, run: run.value }, state.value);
  const locks = await takeLocks(place);
  if (!locks.ok) return locks;
  try {
    const { phase, branch, head, base, runId } = state.value;
    const redaction = programRedaction();
    if (phase.kind === "running") return failed(unfinished(at.slug));
    await endLeftovers({ variable: dispatchVariable, prefix: markPrefix(runId) });
    await dropHomes(homesOf(place));
    const cleaned = await cleanRun(
      {
        ...place,
        runSetup: createRunSetup({ ...place, environment: process.env, redaction, sandbox: null }),
        redact: redaction.text,
      },
      { branch, head, base, mayBundle: phase.kind === "completed" || at.force === true },
    );
    if (cleaned.ok) return success(cleaned.value);
    const hint = describe(cleaned.failure);
    return failed(
      refuse([problem({ expected: "a run that can be cleaned; nothing unproved was removed", hint })], 3),
    );
  } finally {
    locks.value.release();
  }
}

function unfinished(slug: string): Refusal {
  return refuse([
    problem({
      file: `dev/executions/${slug}`,
      value: "running",
      expected: "a run that came to a stop",
      hint: `its program is gone in the middle of work: "execute-prd resume ${slug}", or "execute-prd cancel ${slug}" first`,
    }),
  ]);
}
