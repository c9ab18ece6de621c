// What happened to a task so far, as parts of a prompt: words of agents and output of gates, all of it untrusted but
// the builder's notes.

import type { GateResult } from "../core/event.ts";
import { limits } from "../core/limits.ts";
import type { Finding, Severity } from "../core/report.ts";
import type { DispatchRequest } from "../core/request.ts";
import type { Part } from "./fit.ts";
import { toBlockQuote, toCode, toLine, toUntrusted } from "./quote.ts";
import { bullets, listPart, recordOf, untrustedPart, untrustedText } from "./task-parts.ts";

const severities: readonly Severity[] = ["critical", "major", "minor", "note"];

export function builderNotesPart(request: DispatchRequest): Part {
  const items = recordOf(request).builderNotes.map(toBlockQuote);
  return { name: "builderNotes", items, show: (kept) => kept.join("\n\n"), whole: "feedback.note" };
}

/** Why the attempt before ended: the request's note without the builder's words, which lead it. */
export function outcomePart(request: DispatchRequest): Part {
  const note = request.feedback?.note ?? "";
  const builder = recordOf(request)
    .builderNotes.map((words) => `The builder says: ${words}`)
    .join("\n\n");
  const rest = note.startsWith(builder) ? note.slice(builder.length).trim() : note;
  return untrustedText("outcome", rest, "feedback.note");
}

export function conflictPart(request: DispatchRequest): Part {
  const files = request.feedback?.conflict ?? [];
  return listPart("conflict", bullets(files.map(toCode)), "feedback.conflict");
}

export function gateTailsPart(results: readonly GateResult[], whole: string): Part {
  const items = results.filter(({ outcome }) => outcome !== "passed").map(toGateBlock);
  return { name: "gateTails", items, show: (kept) => kept.join("\n\n"), whole };
}

export function gateFactsPart(results: readonly GateResult[]): Part {
  const facts = results.map((result) => `- ${toCode(result.gate)}: ${toGateFact(result)}`);
  return listPart("gateFacts", facts, "gates");
}

/** The most severe first. */
export function findingsPart(name: string, findings: readonly Finding[], whole: string): Part {
  const sorted = severities.flatMap((severity) =>
    findings.filter((finding) => finding.severity === severity),
  );
  return untrustedPart(name, sorted.map(toFindingText), whole);
}

export function issuesPart(request: DispatchRequest): Part {
  return untrustedPart(
    "issues",
    request.issues.map((issue) => `- ${issue}`),
    "issues",
  );
}

export function learnedPart(request: DispatchRequest): Part {
  return untrustedPart(
    "learned",
    request.learned.map(({ taskId, text }) => `${taskId}: ${text}`),
    "learned",
  );
}

function toGateBlock(result: GateResult): string {
  const head = `Gate ${toCode(result.gate)} (${toCode(result.command)}): ${toGateFact(result)}.`;
  const tail = result.tail.slice(-limits.outputTailChars).trim();
  return tail === ""
    ? `${head} It printed nothing.`
    : `${head} Its output ended with:\n\n${toUntrusted(tail)}`;
}

function toGateFact({ outcome, exitCode, detail, tests }: GateResult): string {
  const code = exitCode === null ? "no exit code" : `exit code ${exitCode}`;
  const counts = tests === null ? [] : [`${tests.passed} tests passed`, `${tests.failed} failed`];
  const words = [code, ...counts, ...(detail === "" ? [] : [toLine(detail)])];
  return `${outcome} (${words.join(", ")})`;
}

function toFindingText(finding: Finding): string {
  const place = finding.line === null ? finding.file : `${finding.file ?? "line"}:${finding.line}`;
  const head = `[${finding.id}] ${finding.severity}${place === null ? "" : `, ${place}`}`;
  const fix = finding.fix === "" ? [] : [`Fix: ${finding.fix}`];
  return [head, `Problem: ${finding.problem}`, ...fix].join("\n");
}
