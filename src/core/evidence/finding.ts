// What the program finds in a candidate's diff, and what each kind of finding does to the candidate.

import { limits } from "../limits.ts";
import type { Severity } from "../report.ts";
import { compareText } from "./collections.ts";

/**
 * note: told to the reviewer. justify: the reviewer must say why it is right, finding by finding. reject: back to the
 * developer. hold: the builder decides.
 */
export type EvidenceEffect = "note" | "justify" | "reject" | "hold";

type FindingKind =
  | "test-deleted"
  | "test-emptied"
  | "test-skipped"
  | "test-focused"
  | "test-silenced"
  | "assertion-removed"
  | "assertion-loosened"
  | "snapshot-rewritten"
  | "gate-changed"
  | "setting-weakened"
  | "suppression-added"
  | "secret-added"
  | "possible-secret"
  | "conflict-marker"
  | "binary-file"
  | "large-file"
  | "made-executable"
  | "link-added"
  | "link-outside"
  | "link-replaced-file"
  | "submodule-changed"
  | "nested-repository"
  | "protected-path"
  | "agent-instructions"
  | "outside-scope"
  | "many-deletions"
  | "not-examined"
  | "fewer-tests"
  | "base-test-fails"
  | "base-definition-fails"
  | "more-findings";

export interface EvidenceFinding {
  /** `e1`, `e2` … of the diff, `b1` … of the base's versions: the same for the same diff and task. */
  readonly id: string;
  readonly kind: FindingKind;
  readonly effect: EvidenceEffect;
  readonly severity: Severity;
  /** null: the candidate as a whole. */
  readonly file: string | null;
  /** Of the file after the change, or before it where the line is gone; null: the file as a whole. */
  readonly line: number | null;
  /** One sentence. */
  readonly text: string;
}

/** What a rule says; the rest follows from the kind. */
export interface Observation {
  readonly kind: FindingKind;
  readonly file: string | null;
  readonly line: number | null;
  readonly text: string;
  /** Where it is not the kind's own. */
  readonly effect?: EvidenceEffect;
}

/** Numbered, strongest first, bounded: beyond the bound one finding says how many more, with the strongest effect. */
export function toFindings(
  observations: readonly Observation[],
  letter: "e" | "b" = "e",
): readonly EvidenceFinding[] {
  const findings = observations.map(toFinding).sort(compareFindings);
  const kept = findings.length <= limits.findingsKept ? findings : findings.slice(0, limits.findingsKept - 1);
  const [strongest, ...others] = findings.slice(kept.length);
  if (strongest !== undefined) kept.push(toMore(strongest.effect, others.length + 1));
  return kept.map((finding, index) => ({ ...finding, id: `${letter}${index + 1}` }));
}

/** A path in a sentence: quoted, and in one line whatever is in it. */
export function quoted(name: string): string {
  return `"${name.length > longestName ? `${name.slice(0, longestName)}…` : name}"`;
}

/** The first few names, and how many more there are. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, namesShown).map(quoted).join(", ");
  return names.length > namesShown ? `${shown} and ${names.length - namesShown} more` : shown;
}

/** `1 test`, `2 tests`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

const longestName = 120;
const namesShown = 5;

const effects: Readonly<Record<FindingKind, readonly [EvidenceEffect, Severity]>> = {
  "test-deleted": ["justify", "major"],
  "test-emptied": ["justify", "major"],
  "test-skipped": ["justify", "major"],
  "test-focused": ["justify", "major"],
  "test-silenced": ["justify", "major"],
  "assertion-removed": ["justify", "major"],
  "assertion-loosened": ["justify", "major"],
  "snapshot-rewritten": ["note", "minor"],
  "gate-changed": ["justify", "major"],
  "setting-weakened": ["justify", "major"],
  "suppression-added": ["note", "minor"],
  "secret-added": ["reject", "critical"],
  "possible-secret": ["justify", "major"],
  "conflict-marker": ["reject", "critical"],
  "binary-file": ["note", "note"],
  "large-file": ["note", "minor"],
  "made-executable": ["note", "note"],
  "link-added": ["note", "minor"],
  "link-outside": ["reject", "critical"],
  "link-replaced-file": ["justify", "major"],
  "submodule-changed": ["justify", "major"],
  "nested-repository": ["reject", "critical"],
  "protected-path": ["hold", "critical"],
  "agent-instructions": ["hold", "critical"],
  "outside-scope": ["note", "minor"],
  "many-deletions": ["hold", "critical"],
  "not-examined": ["justify", "major"],
  "fewer-tests": ["justify", "major"],
  "base-test-fails": ["justify", "major"],
  "base-definition-fails": ["hold", "critical"],
  "more-findings": ["note", "minor"],
};

const strongestFirst: readonly EvidenceEffect[] = ["hold", "reject", "justify", "note"];

type Unnumbered = Omit<EvidenceFinding, "id">;

function toFinding({ kind, file, line, text, effect }: Observation): Unnumbered {
  const [usual, severity] = effects[kind];
  return { kind, effect: effect ?? usual, severity, file, line, text: toSentence(text) };
}

function toMore(effect: EvidenceEffect, count: number): Unnumbered {
  const text = `${counted(count, "more finding")} of this candidate not listed here`;
  return { kind: "more-findings", effect, severity: "major", file: null, line: null, text };
}

function compareFindings(left: Unnumbered, right: Unnumbered): number {
  return (
    strongestFirst.indexOf(left.effect) - strongestFirst.indexOf(right.effect) ||
    compareText(left.file ?? "", right.file ?? "") ||
    Number(left.line) - Number(right.line) ||
    compareText(left.kind, right.kind) ||
    compareText(left.text, right.text)
  );
}

/** Control and direction characters could hide a part of the sentence from who reads it. */
function toSentence(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, " ");
  return line.length <= limits.findingChars ? line : `${line.slice(0, limits.findingChars - 1)}…`;
}

/** Whether a word on one is a word on the other: the line may be another where the file around it is. */
export function isSameFinding(one: EvidenceFinding, other: EvidenceFinding): boolean {
  return one.id === other.id && one.kind === other.kind && one.file === other.file && one.text === other.text;
}

/** A finding as a part of a sentence, with its id and place. */
export function toWords({ id, file, line, text }: EvidenceFinding): string {
  const place = file === null ? "" : ` in ${file}${line === null ? "" : `:${line}`}`;
  return `${id}: ${text}${place}`;
}
