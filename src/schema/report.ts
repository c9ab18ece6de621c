// An agent's report: bytes to the report of its stage, bounded and cleaned, or why it cannot be used. The text is
// hostile: nothing of it is searched for in prose, and a report that is wrong in one required place is no report.

import { z } from "zod";
import type { TaskId } from "../core/ids.ts";
import type { JsonObject } from "../core/json.ts";
import { limits } from "../core/limits.ts";
import type {
  AgentStage,
  CriterionLine,
  DevelopReport,
  Finding,
  HolisticReport,
  PrecheckReport,
  PreMortemReport,
  ReconLine,
  ReconReport,
  ReviewReport,
  Severity,
  StageReport,
  Usage,
} from "../core/report.ts";
import { failed, type Result, success, unreachable } from "../core/result.ts";
import { decodeJson } from "./json-text.ts";
import { describeProblem, dropHalfCharacter, ProblemList } from "./problem.ts";
import { type ReportInput, reportShapes, usageShape } from "./report-shape.ts";
import { valueAt } from "./value-at.ts";
import { checkShape } from "./zod-problems.ts";

export interface ReportSource {
  readonly stage: AgentStage;
  readonly bytes: Uint8Array;
  /** Number of the task's attempt or of the stage's round: part of the ids given to findings. */
  readonly round: number;
  /** Acceptance criteria of the reviewed task; 0 for other stages. */
  readonly criteriaCount: number;
  /** Every task of the PRD, for run stages. */
  readonly taskIds: readonly TaskId[];
}

export interface ReportRead {
  readonly report: StageReport;
  readonly usage: Usage | null;
}

const maxProblems = 20;
const findingIdChars = 100;
const schemasMade = new Map<AgentStage, JsonObject>();

/** Fails with what is wrong, a sentence part each. */
export function readReport(source: ReportSource): Result<ReportRead, readonly string[]> {
  if (source.bytes.length === 0) return failed(["the report is empty"]);
  const json = decodeJson({ text: source.bytes, file: "" }, limits.reportBytes);
  if (!json.ok) return failed([describeProblem(json.failure)]);
  const problems = new ProblemList("");
  if (!checkShape({ shape: reportShapes[source.stage], value: json.value, problems }))
    return refuse(problems);
  const report = toReport(source, json.value, problems);
  if (!problems.isEmpty) return refuse(problems);
  return success({ report, usage: toUsage(valueAt(json.value, ["usage"])) });
}

/** The JSON Schema (draft 2020-12) of each stage's report, made when it is first asked for. */
export const reportSchemas: Readonly<Record<AgentStage, JsonObject>> = {
  get develop() {
    return toSchema("develop");
  },
  get review() {
    return toSchema("review");
  },
  get precheck() {
    return toSchema("precheck");
  },
  get recon() {
    return toSchema("recon");
  },
  get "pre-mortem"() {
    return toSchema("pre-mortem");
  },
  get "holistic-review"() {
    return toSchema("holistic-review");
  },
};

/** What a report that cannot be used otherwise says about its cost: that was spent all the same. */
export function readUsage(bytes: Uint8Array): Usage | null {
  const json = decodeJson({ text: bytes, file: "" }, limits.reportBytes);
  return json.ok ? toUsage(valueAt(json.value, ["usage"])) : null;
}

function toSchema(stage: AgentStage): JsonObject {
  const known = schemasMade.get(stage);
  if (known !== undefined) return known;
  const schema: JsonObject = JSON.parse(JSON.stringify(z.toJSONSchema(reportShapes[stage], { io: "input" })));
  schemasMade.set(stage, schema);
  return schema;
}

function refuse(problems: ProblemList) {
  const all = problems.all().map(describeProblem);
  if (all.length <= maxProblems) return failed(all);
  return failed([...all.slice(0, maxProblems), `and ${all.length - maxProblems} more`]);
}

function toUsage(value: unknown): Usage | null {
  const parsed = usageShape.safeParse(value);
  if (!parsed.success) return null;
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, costUsd } = parsed.data;
  return {
    inputTokens,
    outputTokens,
    cacheReadTokens: cacheReadTokens ?? 0,
    cacheWriteTokens: cacheWriteTokens ?? 0,
    costUsd: costUsd ?? null,
    costBasis: typeof costUsd === "number" ? "reported" : "unknown",
    model: null,
  };
}

function toReport(source: ReportSource, value: unknown, problems: ProblemList): StageReport {
  switch (source.stage) {
    case "develop":
      return toDevelop(reportShapes.develop.parse(value));
    case "review":
      return toReview(reportShapes.review.parse(value), source, problems);
    case "precheck":
      return toPrecheck(reportShapes.precheck.parse(value));
    case "recon":
      return toRecon(reportShapes.recon.parse(value), source.taskIds, problems);
    case "pre-mortem":
      return toPreMortem(reportShapes["pre-mortem"].parse(value), source.taskIds);
    case "holistic-review":
      return toHolistic(reportShapes["holistic-review"].parse(value));
    default:
      return unreachable(source.stage, "stage of a report");
  }
}

function toDevelop(input: ReportInput<"develop">): DevelopReport {
  const question = input.question ?? null;
  return {
    stage: "develop",
    summary: cleanText(input.summary),
    reflection: cleanText(input.reflection ?? ""),
    signals: cleanList(input.signals),
    question: question && { text: cleanText(question.text), options: cleanList(question.options) },
  };
}

function toPrecheck({ verdict, issues }: ReportInput<"precheck">): PrecheckReport {
  return { stage: "precheck", verdict, issues: cleanList(issues) };
}

function toReview(input: ReportInput<"review">, source: ReportSource, problems: ProblemList): ReviewReport {
  return {
    stage: "review",
    verdict: input.verdict,
    score: input.score,
    criteria: toCriteria(input.criteria ?? [], source.criteriaCount, problems),
    findings: toFindings(input.findings, source.round),
    justified: firstItems(input.justified).map(({ finding, why }) => ({
      finding: cleanText(finding),
      why: cleanText(why),
    })),
  };
}

/** One line a criterion, the worst verdict of each; not cut, as a "not met" must not get lost. */
function toCriteria(
  input: readonly CriterionLine[],
  criteriaCount: number,
  problems: ProblemList,
): CriterionLine[] {
  const badness = { met: 0, "cannot tell": 1, "not met": 2 };
  const worst = new Map<number, CriterionLine>();
  for (const [position, line] of input.entries()) {
    if (line.index >= criteriaCount) {
      const expected = `the number of one of ${criteriaCount} criteria, from 0`;
      problems.add(["criteria", position, "index"], () => ({ value: line.index, expected }));
    }
    const earlier = worst.get(line.index);
    if (earlier !== undefined && badness[earlier.verdict] >= badness[line.verdict]) continue;
    worst.set(line.index, { index: line.index, verdict: line.verdict, where: cleanText(line.where) });
  }
  return [...worst.values()].sort((a, b) => a.index - b.index);
}

type FindingInput = ReportInput<"review">["findings"][number];

/** Ids are unique: what has none, or one that was there before, gets `f<round>.<k>`. */
function toFindings(input: readonly FindingInput[], round: number): Finding[] {
  const kept = mostSevere(input);
  const given = new Set(kept.map(({ id }) => toFindingId(id)));
  const used = new Set<string>();
  return kept.map((finding, index) => {
    let id = toFindingId(finding.id);
    if (id === "" || used.has(id)) {
      let k = index + 1;
      while (given.has(`f${round}.${k}`) || used.has(`f${round}.${k}`)) k += 1;
      id = `f${round}.${k}`;
    }
    used.add(id);
    return {
      id,
      severity: finding.severity,
      file: cleanText(finding.file ?? "") || null,
      line: finding.line ?? null,
      problem: cleanText(finding.problem),
      fix: cleanText(finding.fix),
    };
  });
}

function toFindingId(id: string | null | undefined): string {
  return cut(
    cleanText(id ?? "")
      .replace(/\s+/g, " ")
      .trim(),
    findingIdChars,
  );
}

/** As many as are kept, in their order; what is dropped is never worse than what stays. */
function mostSevere<Item extends { readonly severity: Severity }>(items: readonly Item[]): Item[] {
  const order: readonly Severity[] = ["critical", "major", "minor", "note"];
  const bySeverity = order.flatMap((severity) => items.filter((item) => item.severity === severity));
  const kept = new Set(bySeverity.slice(0, limits.agentListItems));
  return items.filter((item) => kept.has(item));
}

/** One line a task, the worst verdict of each. */
function toRecon(
  input: ReportInput<"recon">,
  taskIds: readonly TaskId[],
  problems: ProblemList,
): ReconReport {
  const badness = { confirmed: 0, partial: 1, phantom: 2 };
  const worst = new Map<string, ReconLine>();
  const known = new Map<string, TaskId>(taskIds.map((id) => [id, id]));
  for (const [position, { id: name, verdict, evidence }] of input.tasks.entries()) {
    const id = known.get(name);
    if (id === undefined) {
      problems.add(["tasks", position, "id"], () => ({
        value: name,
        expected: "the id of a task of the PRD",
      }));
      continue;
    }
    const earlier = worst.get(id);
    if (earlier !== undefined && badness[earlier.verdict] >= badness[verdict]) continue;
    worst.set(id, { id, verdict, evidence: cleanText(evidence) });
  }
  return { stage: "recon", tasks: taskIds.flatMap((id) => worst.get(id) ?? []) };
}

/** A risk whose tasks are all unknown counts for every task: advice is better given too often. */
function toPreMortem(input: ReportInput<"pre-mortem">, taskIds: readonly TaskId[]): PreMortemReport {
  const risks = mostSevere(input.risks).map((risk) => ({
    name: cleanText(risk.name),
    category: cleanText(risk.category),
    severity: risk.severity,
    problem: cleanText(risk.problem),
    mitigation: cleanText(risk.mitigation),
    verification: cleanText(risk.verification),
    taskIds: taskIds.filter((id) => risk.taskIds?.includes(id)),
  }));
  return { stage: "pre-mortem", risks };
}

function toHolistic(input: ReportInput<"holistic-review">): HolisticReport {
  return {
    stage: "holistic-review",
    verdict: input.verdict,
    summary: cleanText(input.summary),
    followUps: firstItems(input.followUps).map(({ title, description, acceptanceCriteria }) => ({
      title: cleanText(title).replace(/\s+/g, " "),
      description: cleanText(description),
      acceptanceCriteria: cleanList(acceptanceCriteria),
    })),
    learnings: cleanList(input.learnings),
  };
}

function firstItems<Item>(items: readonly Item[] | null | undefined): readonly Item[] {
  return (items ?? []).slice(0, limits.agentListItems);
}

function cleanList(items: readonly string[] | null | undefined): string[] {
  return firstItems(items).map(cleanText);
}

/** Without control characters, changes of direction and half characters; cut to what is kept of an agent's text. */
export function cleanText(text: string): string {
  const visible = text
    .replace(/\r\n?/g, "\n")
    .replace(/[^\P{Cc}\n\t]|[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu, "")
    .replace(/\p{Surrogate}/gu, "\uFFFD");
  return cut(visible, limits.agentTextChars);
}

function cut(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${dropHalfCharacter(text.slice(0, maxChars - 1))}…`;
}
