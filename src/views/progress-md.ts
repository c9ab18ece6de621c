// progress.md: one entry per task that ended and per attempt that was sent back (contract "progress.md").
//
// The file is only ever extended, so an entry may speak of nothing that can change after its item was pushed: the
// task as planned, the item, and what an attempt's record no longer changes once it has ended. What agents wrote is
// quoted so that none of its lines can pass for an entry, a label or a rule.

import type { Candidate, FileChange } from "../core/event.ts";
import type { GateJudgement, GateResult } from "../core/gate-result.ts";
import { shortSha } from "../core/ids.ts";
import type { AttemptRecord, ProgressItem, RunState, UsageSum } from "../core/state.ts";
import { taskOf } from "../core/state.ts";
import { toBlock, toInline, toItem, toPathItem } from "./markdown.ts";
import { judgementOf } from "./task-overview.ts";
import { toCount, toNumber } from "./text.ts";

export function progressHeader(state: RunState): string {
  return `# Progress Log — ${state.slug}\n`;
}

export function progressEntry(state: RunState, item: ProgressItem): string {
  const record = taskOf(state, item.taskId);
  const attempt = record?.attempts.find(({ number }) => number === item.attempt);
  const candidate = attempt?.candidate ?? null;
  const sections = [
    toHead({ item, title: record?.task.title ?? "", candidate }),
    section("What was done", toDone(item, attempt)),
    section("Files changed", toFiles(candidate)),
    section("Quality checks", toChecks(attempt)),
    section("Reflection", toReflection(attempt)),
  ];
  return `\n${sections.join("\n\n")}\n\n---\n`;
}

/** The file's parts, in order: nothing that was once returned is ever returned differently. */
export function* progressParts(state: RunState): Iterable<string> {
  yield progressHeader(state);
  for (const item of state.progress) yield progressEntry(state, item);
}

function toHead(at: { item: ProgressItem; title: string; candidate: Candidate | null }): string {
  const { item, candidate } = at;
  const lines = [`## Task ${item.taskId}: ${toInline(at.title)}`, `**Status**: ${item.status}`];
  // Only a commit on the branch; that of an attempt sent back is named with the reason.
  if (item.status === "complete" && candidate !== null)
    lines.push(`**Commit**: ${shortSha(candidate.commit)}`);
  return lines.join("\n");
}

function section(label: string, text: string): string {
  return `${label}:\n${text}`;
}

function toDone(item: ProgressItem, attempt: AttemptRecord | undefined): string {
  const items: string[] = [];
  if (attempt?.develop.kind === "answered") {
    const { summary } = attempt.develop.report;
    items.push(toItem(summary.trim() === "" ? "(the developer gave no summary)" : summary));
  }
  if (item.status !== "complete") items.push(toItem(toEnd(item, attempt)));
  return items.length === 0 ? "- nothing" : items.join("\n");
}

function toEnd(item: ProgressItem, attempt: AttemptRecord | undefined): string {
  switch (item.status) {
    case "complete":
      return "";
    case "sent back": {
      const commit = attempt?.candidate?.commit;
      const kept = commit === undefined ? "" : `, candidate ${shortSha(commit)}`;
      return `Sent back (attempt ${item.attempt ?? 0}${kept}): ${item.reason}`;
    }
    case "failed":
      return `Given up until the builder decides: ${item.reason}`;
    case "skipped":
      return `Skipped: ${item.reason}`;
  }
}

const changeWords: Readonly<Record<FileChange["change"], string>> = {
  added: "added",
  modified: "modified",
  deleted: "deleted",
  "type changed": "modified",
};

function toFiles(candidate: Candidate | null): string {
  if (candidate === null || candidate.changeCount === 0) return "- none";
  const items = candidate.changes.map(({ path, change }) => toPathItem(path, changeWords[change]));
  const more = candidate.changeCount - candidate.changes.length;
  return [...items, ...(more > 0 ? [`- and ${toCount(more, "more file")}`] : [])].join("\n");
}

function toChecks(attempt: AttemptRecord | undefined): string {
  if (attempt === undefined || attempt.gates.length === 0) return "- none ran";
  return attempt.gates
    .map((result) => `- ${toInline(result.gate)}: ${toCheckWords(result, judgementOf(attempt, result))}`)
    .join("\n");
}

/** `✓`, `✓ (12 passed)`, `✗ (exit 1, 2 failed, 10 passed)`; a tick also where all failures are excused or flaky. */
export function toCheckWords(result: GateResult, judgement: GateJudgement | null): string {
  const { tests } = result;
  if (result.outcome === "passed") return tests === null ? "✓" : `✓ (${toNumber(tests.passed)} passed)`;
  const verdict = judgement?.verdict;
  const hasPassed = verdict === "excused" || verdict === "flaky";
  const details = [
    howItEnded(result),
    ...(tests === null ? [] : [`${toNumber(tests.failed)} failed`, `${toNumber(tests.passed)} passed`]),
    ...(result.detail === "" ? [] : [toInline(result.detail)]),
    ...(verdict === "accepted" ? ["accepted as red by the builder"] : []),
    ...toNames("new failures", judgement?.newFailures ?? []),
    ...toNames("failing before too", judgement?.excused ?? []),
    ...toNames("flaky, passed when run again", judgement?.flaky ?? []),
  ];
  return `${hasPassed ? "✓" : "✗"} (${details.join(", ")})`;
}

const namesShown = 5;

function toNames(what: string, names: readonly string[]): readonly string[] {
  if (names.length === 0) return [];
  const more = names.length - namesShown;
  const shown = names.slice(0, namesShown).map((name) => toInline(name, 200));
  return [`${what}: ${shown.join("; ")}${more > 0 ? ` and ${more} more` : ""}`];
}

function howItEnded(result: GateResult): string {
  if (result.outcome === "timed out") return "timed out";
  if (result.outcome === "cannot start") return "could not be started";
  return result.exitCode === null ? "no exit code" : `exit ${result.exitCode}`;
}

function toReflection(attempt: AttemptRecord | undefined): string {
  if (attempt === undefined) return "none";
  const text = attempt.develop.kind === "answered" ? attempt.develop.report.reflection.trim() : "";
  return `${toParagraph(text === "" ? "none" : text)}\n${toTokens(attempt.usage)}`;
}

/** Begins at the start of a line where that can be no label, rule or mark: plain words, without a colon. */
function toParagraph(text: string): string {
  const block = toBlock(text);
  return /^ {2}[\p{L}\p{N}][^\n:]*(?:\n|$)/u.test(block) ? block.trimStart() : block;
}

function toTokens(usage: UsageSum): string {
  const { inputTokens, outputTokens } = usage;
  if (inputTokens === 0 && outputTokens === 0) return "Tokens: not reported";
  return `Tokens: ${toNumber(inputTokens)} in, ${toNumber(outputTokens)} out, ${whoCounted(usage)}`;
}

function whoCounted({ dispatches, measured }: UsageSum): string {
  const reported = "as the agents reported them";
  if (measured === 0) return reported;
  return measured === dispatches ? "measured" : `${reported} (${measured} of ${dispatches} measured)`;
}
