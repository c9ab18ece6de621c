// `log`, `report`, `verify`, `validate`, `plan`, `doctor`, `rebuild`, `clean`, `init`: look, say, and change no run.

import { setTimeout as wait } from "node:timers/promises";
import type { Entry } from "../../core/event.ts";
import {
  clean,
  diagnose,
  diagnoseAgents,
  initialise,
  log,
  plan,
  rebuild,
  report,
  status,
  validate,
  verify,
} from "../../library.ts";
import { toDuration, toIso, toLine, toUsd } from "../../views/text.ts";
import { createNarrator, toldBy } from "../../views/words.ts";
import { type Output, printRefusal } from "./output.ts";

interface Place {
  readonly cwd?: string;
}

const watchMs = 1_000;

export async function showLog(
  output: Output,
  at: Place & { slug: string; follow: boolean },
): Promise<number> {
  let seen = 0;
  const narrate = createNarrator();
  for (;;) {
    // Asked before the journal is read: of a program that was gone by then nothing more can come.
    const isGone = at.follow && !(await isOwned(at));
    const entries = await log(at);
    if (!entries.ok) return printRefusal(output, entries.failure);
    for (const entry of entries.value.slice(seen)) printEntry(output, entry, narrate(entry));
    seen = entries.value.length;
    if (!at.follow || isOver(entries.value.at(-1))) return 0;
    if (isGone) {
      output.trouble(`nobody works on this run; go on with "execute-prd resume ${at.slug}"`);
      return 0;
    }
    await wait(watchMs / 2);
  }
}

async function isOwned(at: Place & { slug: string }): Promise<boolean> {
  const found = await status(at);
  return found.ok && found.value.owner === "live";
}

function printEntry(output: Output, entry: Entry, words: string): void {
  if (output.isJson) output.data({ seq: entry.seq, at: toIso(entry.atMs), ...entry.event });
  else {
    output.line(`${String(entry.seq).padStart(4)} ${toIso(entry.atMs)} ${words}`);
    for (const text of toldBy(entry)) output.line(`     note: ${text}`);
  }
}

function isOver(entry: Entry | undefined): boolean {
  return entry !== undefined && /^run-(paused|blocked|failed|completed)$/.test(entry.event.kind);
}

export async function showReport(output: Output, at: Place & { slug: string }): Promise<number> {
  const found = await report(at);
  if (!found.ok) return printRefusal(output, found.failure);
  if (output.isJson) output.data({ report: found.value });
  else output.line(found.value.trimEnd());
  return 0;
}

export async function showVerification(
  output: Output,
  at: Place & { slug: string; task?: string; rerun: boolean },
): Promise<number> {
  const found = await verify({ ...at, onProgress: (text) => output.isTerminal && output.line(`  ${text}`) });
  if (!found.ok) return printRefusal(output, found.failure);
  const { before, ok, slug, tasks } = found.value;
  if (output.isJson) output.data(found.value);
  else {
    for (const { taskId, commit, mismatches } of tasks) {
      const mark = mismatches.length === 0 ? output.paint.green("✓") : output.paint.red("✗");
      output.line(`${mark} ${taskId}${commit === null ? "" : ` ${commit}`}`);
      for (const text of mismatches) output.line(`    ${toLine(text)}`);
    }
    if (before.length > 0) output.line(`complete before this run, without receipt: ${before.join(", ")}`);
    const good = tasks.filter(({ mismatches }) => mismatches.length === 0).length;
    output.line(`${slug}: ${good} of ${tasks.length} receipt(s) hold`);
  }
  return ok ? 0 : 1;
}

export async function showValidation(output: Output, at: Place & { plan: string }): Promise<number> {
  const found = await validate(at);
  if (!found.ok) return printRefusal(output, found.failure);
  if (output.isJson) output.data({ ok: true, ...found.value });
  else {
    output.line(
      `${found.value.file} is a valid plan of ${found.value.tasks.length} task(s), slug ${found.value.slug}`,
    );
    for (const text of found.value.told) output.line(`  note: ${toLine(text)}`);
  }
  return 0;
}

export async function showPlan(output: Output, at: Place & { plan: string }): Promise<number> {
  const found = await plan(at);
  if (!found.ok) return printRefusal(output, found.failure);
  if (output.isJson) {
    output.data({ ok: true, ...found.value });
    return 0;
  }
  const dry = found.value;
  output.line(`${dry.file}: ${dry.tasks.length} task(s) on branch ${dry.branch}, from ${dry.base}`);
  output.line(`  order: ${dry.order.join(", ")}`);
  for (const [index, wave] of dry.waves.entries()) output.line(`  wave ${index + 1}: ${wave.join(", ")}`);
  output.line(`  critical path: ${dry.criticalPath.join(" → ")}`);
  output.line(`  setup: ${dry.setup === "" ? "none" : dry.setup}`);
  output.line(
    `  gates: ${dry.gates.map(({ name, command }) => `${name} (${command})`).join(", ") || "none"}`,
  );
  output.line(
    `  agents: developer ${dry.agents.developer}, reviewer ${dry.agents.reviewer}, lead ${dry.agents.orchestrator}`,
  );
  const { dispatchesAtLeast, dispatchesAtMost, gateRunsAtLeast, basis } = dry.estimate;
  const { costUsdLikely, dispatchesLikely } = dry.estimate;
  const likely = dispatchesLikely === null ? "" : `, likely ${dispatchesLikely}`;
  const cost = costUsdLikely === null ? "cost unknown" : `likely ${toUsd(costUsdLikely)}`;
  output.line(
    `  estimate: at least ${dispatchesAtLeast} dispatches${likely} (stops at ${dispatchesAtMost}) and ${gateRunsAtLeast} gate runs; ${cost}`,
  );
  output.line(`  basis: ${basis}`);
  for (const text of dry.told) output.line(`  note: ${toLine(text)}`);
  return 0;
}

export async function showDiagnosis(
  output: Output,
  at: Place & { agents: boolean; live: boolean },
): Promise<number> {
  const diagnosis = await (at.agents || at.live ? diagnoseAgents(at) : diagnose(at));
  if (output.isJson) output.data({ ok: diagnosis.isHealthy, checks: diagnosis.checks });
  else {
    const { paint } = output;
    for (const { name, state, detail, fix } of diagnosis.checks) {
      const mark = state === "ok" ? paint.green("ok     ") : paint.red("problem");
      output.line(
        `${mark} ${name}: ${toLine(detail, 1_000)}${fix === "" ? "" : `\n        fix: ${toLine(fix, 1_000)}`}`,
      );
    }
  }
  return diagnosis.isHealthy ? 0 : 2;
}

export async function rebuildAndShow(output: Output, at: Place & { slug: string }): Promise<number> {
  const began = performance.now();
  const rebuilt = await rebuild(at);
  if (!rebuilt.ok) return printRefusal(output, rebuilt.failure);
  if (output.isJson) output.data({ ok: true, ...rebuilt.value });
  else
    output.line(
      `${rebuilt.value.files.length} files made from the journal in ${toDuration(performance.now() - began)}`,
    );
  if (rebuilt.value.progressMovedTo !== null) {
    output.trouble(
      `progress.md was not what the journal says; it was moved to ${rebuilt.value.progressMovedTo}`,
    );
  }
  return 0;
}

export async function cleanAndShow(
  output: Output,
  at: Place & { slug: string; force: boolean },
): Promise<number> {
  const cleaned = await clean(at);
  if (!cleaned.ok) return printRefusal(output, cleaned.failure);
  const { lanes, refs, bundled, bundle, kept } = cleaned.value;
  if (output.isJson) {
    output.data({ ok: true, ...cleaned.value });
    return 0;
  }
  output.line(`removed ${lanes.length} working tree(s) and ${refs.length} ref(s)`);
  if (bundle !== null) output.line(`${bundled.length} of them are kept in ${bundle}`);
  for (const { what, why } of kept) output.line(`kept ${what}: ${why}`);
  return 0;
}

export async function initAndShow(output: Output, at: Place & { force: boolean }): Promise<number> {
  const done = await initialise(at);
  if (!done.ok) return printRefusal(output, done.failure);
  if (output.isJson) {
    output.data({ ok: true, ...done.value });
    return 0;
  }
  for (const path of done.value.written) output.line(`wrote ${path}`);
  for (const path of done.value.kept) output.line(`kept  ${path} (it is there already)`);
  for (const text of done.value.advice) output.line(text);
  return 0;
}
