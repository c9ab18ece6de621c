// What happened to a task so far, as parts of a prompt: words of agents and output of gates, all of it untrusted but
// the builder's notes.

import type { EvidenceEffect, EvidenceFinding } from "../core/evidence/finding.ts";
import type { GateJudgement } from "../core/gate-result.ts";
import { limits } from "../core/limits.ts";
import type { Finding, Severity } from "../core/report.ts";
import type { DispatchRequest, GateWord } from "../core/request.ts";
import type { Part } from "./fit.ts";
import { toBlockQuote, toCode, toLine, toUntrusted } from "./quote.ts";
import { bullets, listPart, recordOf, untrustedPart, untrustedText } from "./task-parts.ts";

const effects: readonly EvidenceEffect[] = ["reject", "hold", "justify", "note"];
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

export function gateTailsPart(gates: readonly GateWord[], whole: string): Part {
  const items = gates.filter(({ result }) => result.outcome !== "passed").map(toGateBlock);
  return { name: "gateTails", items, show: (kept) => kept.join("\n\n"), whole };
}

export function gateFactsPart(gates: readonly GateWord[]): Part {
  const facts = gates.map((gate) => `- ${toCode(gate.result.gate)}: ${toGateFact(gate)}`);
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

/** What the program found, the gravest first; the reviewer names the ids. */
export function evidencePart(name: string, findings: readonly EvidenceFinding[], whole: string): Part {
  const sorted = effects.flatMap((effect) => findings.filter((finding) => finding.effect === effect));
  return untrustedPart(
    name,
    sorted.map((finding) => `[${finding.id}] ${finding.effect}, ${finding.kind}: ${toPlace(finding)}`),
    whole,
  );
}

function toPlace({ file, line, text }: EvidenceFinding): string {
  if (file === null) return text;
  return `${text} (${file}${line === null ? "" : `:${line}`})`;
}

function toGateBlock(gate: GateWord): string {
  const { result } = gate;
  const head = `Gate ${toCode(result.gate)} (${toCode(result.command)}): ${toGateFact(gate)}.`;
  const tail = result.tail.slice(-limits.outputTailChars).trim();
  return tail === ""
    ? `${head} It printed nothing.`
    : `${head} Its output ended with:\n\n${toUntrusted(tail)}`;
}

function toGateFact({ result, judgement }: GateWord): string {
  const { outcome, exitCode, detail, tests } = result;
  const code = exitCode === null ? "no exit code" : `exit code ${exitCode}`;
  const counts = tests === null ? [] : [`${tests.passed} tests passed`, `${tests.failed} failed`];
  const words = [code, ...counts, ...(detail === "" ? [] : [toLine(detail)]), ...toJudgedWords(judgement)];
  return `${outcome} (${words.join(", ")})`;
}

function toJudgedWords(judgement: GateJudgement | null): readonly string[] {
  if (judgement === null) return [];
  const { verdict, newFailures, excused, flaky } = judgement;
  return [
    ...(verdict === "accepted" ? ["the builder accepted it as red"] : []),
    ...named("new failures", newFailures),
    ...named("failing before this change too", excused),
    ...named("flaky, passed when run again", flaky),
  ];
}

function named(what: string, names: readonly string[]): readonly string[] {
  if (names.length === 0) return [];
  const listed = names.slice(0, limits.namesInSentence).map((name) => toCode(toLine(name)));
  const more = names.length - listed.length;
  return [`${what}: ${listed.join(", ")}${more > 0 ? ` and ${more} more` : ""}`];
}

function toFindingText(finding: Finding): string {
  const place = finding.line === null ? finding.file : `${finding.file ?? "line"}:${finding.line}`;
  const head = `[${finding.id}] ${finding.severity}${place === null ? "" : `, ${place}`}`;
  const fix = finding.fix === "" ? [] : [`Fix: ${finding.fix}`];
  return [head, `Problem: ${finding.problem}`, ...fix].join("\n");
}
