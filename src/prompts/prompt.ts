// What an agent is told, in words: one template a stage, filled from the dispatch's request.
//
// Order in a prompt: what the agent is and what is asked, the task, what is known, rules, report. A part's place in the
// lists below is its importance: when a prompt is too long, the last parts are cut first, and the task last of all.

import { limits } from "../core/limits.ts";
import { isAllThere } from "../core/own-look.ts";
import type { DispatchRequest } from "../core/request.ts";
import { unreachable } from "../core/result.ts";
import answerRules from "./answer-rules.md";
import developTemplate from "./develop.md";
import { type Fitting, fitTemplate, type Part } from "./fit.ts";
import {
  builderNotesPart,
  conflictPart,
  evidencePart,
  findingsPart,
  gateFactsPart,
  gateTailsPart,
  issuesPart,
  learnedPart,
  outcomePart,
} from "./history-parts.ts";
import holisticTemplate from "./holistic-review.md";
import lookingRules from "./looking-rules.md";
import { allCriteriaPart, closedTasksPart, openTasksPart, planParts, taskTablePart } from "./plan-parts.ts";
import preMortemTemplate from "./pre-mortem.md";
import precheckTemplate from "./precheck.md";
import { toCode, toFenced, toPlain } from "./quote.ts";
import reconTemplate from "./recon.md";
import reviewTemplate from "./review.md";
import {
  bullets,
  filesPart,
  listPart,
  recordOf,
  risksPart,
  seenPart,
  taskParts,
  toTitle,
  untrustedText,
} from "./task-parts.ts";

/** Longest text of a role file that is added to a prompt; `toPrompt` leaves room for it. */
export const roleTextChars = 16_000;

const promptChars = limits.promptChars - roleTextChars - 1_000;

/** The prompt of a dispatch. `reportFormat`, where given, is the JSON Schema of the stage's report. */
export function toPrompt(request: DispatchRequest, reportFormat = ""): string {
  const { template, values, parts } = toContent(request);
  const common = {
    answerRules: answerRules.trim(),
    schema: reportFormat === "" ? "" : toFenced(reportFormat.trim(), "json"),
  };
  return fitTemplate({ template, values: { ...values, ...common }, parts, maxChars: promptChars });
}

const cutMark = "\n\n[Cut here: a role file is too long.]";

/** What the builder wrote in a role file, as it goes into prompts; empty where there is nothing but comments. */
export function toRoleText(written: string): string {
  const text = toPlain(written.replace(/<!--[\s\S]*?-->/g, "")).trim();
  if (text.length <= roleTextChars) return text;
  return `${toPlain(text.slice(0, roleTextChars - cutMark.length))}${cutMark}`;
}

/** Adds what the builder wrote in a role file; comments in it are left out, and an empty one adds nothing. */
export function addRoleText(prompt: string, written: string): string {
  const text = toRoleText(written);
  if (text === "") return prompt;
  return `${prompt.trimEnd()}\n\n## The builder's words to your role\n\n${text}\n`;
}

type Content = Omit<Fitting, "maxChars">;

function toContent(request: DispatchRequest): Content {
  const { stage } = request.intent;
  switch (stage) {
    case "develop":
      return developContent(request);
    case "precheck":
      return precheckContent(request);
    case "review":
      return reviewContent(request);
    case "recon":
      return leadContent(request, reconTemplate, [openTasksPart(request), closedTasksPart(request)]);
    case "pre-mortem":
      return leadContent(request, preMortemTemplate, [openTasksPart(request), closedTasksPart(request)]);
    case "holistic-review": {
      const content = leadContent(request, holisticTemplate, [
        taskTablePart(request),
        allCriteriaPart(request),
      ]);
      return { ...content, values: { ...content.values, runId: request.runId } };
    }
    default:
      return unreachable(stage, "stage of a prompt");
  }
}

function developContent(request: DispatchRequest): Content {
  const { feedback } = request;
  const parts = [
    ...taskParts(request),
    builderNotesPart(request),
    filesPart(request.files),
    seenPart(request),
    conflictPart(request),
    outcomePart(request),
    issuesPart(request),
    risksPart(request),
    gateTailsPart(feedback?.gates ?? [], "feedback.gates"),
    findingsPart("findings", feedback?.findings ?? [], "feedback.findings"),
    evidencePart("evidence", feedback?.evidence ?? [], "feedback.evidence"),
    learnedPart(request),
  ];
  const hasHistory = ["conflict", "outcome", "gateTails", "findings", "evidence"].some((name) =>
    hasItems(parts, name),
  );
  return {
    template: developTemplate,
    values: { ...taskValues(request), ...startValues(request), history: hasHistory ? "yes" : "" },
    parts,
  };
}

/** What lies in the working directory when the developer starts; where earlier work did not fit, it is the base. */
function startValues({ intent, record, feedback, seen }: DispatchRequest): Record<string, string> {
  const start = intent.startFrom ?? { kind: "base" };
  const isBase = start.kind === "base" || (feedback !== null && feedback.conflict.length > 0);
  return {
    attempt: String(intent.attempt),
    carriedOn: !isBase && start.kind === "rejected" ? String(start.attempt) : "",
    unfinished: !isBase && start.kind === "salvaged" ? String(start.attempt) : "",
    earlierCommit: start.kind === "base" ? "" : start.commit,
    mustChange: record?.task.allowNoChanges ? "" : "yes",
    allThere: isAllThere(seen) ? "yes" : "",
  };
}

function taskValues(request: DispatchRequest): Record<string, string> {
  const { task } = recordOf(request);
  return { taskId: task.id, title: toTitle(task.title), base: request.intent.base };
}

/** The developer's prompt, for the reviewer to judge: of the attempt to come, from the base. */
function precheckContent(request: DispatchRequest): Content {
  const intent = { ...request.intent, stage: "develop", startFrom: null } as const;
  const prompt = toPrompt({ ...request, intent, feedback: null });
  return {
    template: precheckTemplate,
    values: { ...taskValues(request), ...looking(), again: request.issues.length > 0 ? "yes" : "" },
    parts: [untrustedText("developerPrompt", prompt, "task")],
  };
}

function reviewContent(request: DispatchRequest): Content {
  const { intent, gates, evidence, openFindings, developerReport, withheld } = request;
  return {
    template: reviewTemplate,
    values: {
      ...taskValues(request),
      ...looking(),
      candidate: intent.candidate ?? "HEAD",
      noGates: gates.length === 0 ? "yes" : "",
    },
    parts: [
      ...taskParts(request),
      filesPart(request.files),
      gateFactsPart(gates),
      risksPart(request),
      evidencePart("evidence", evidence, "evidence"),
      untrustedText("outcome", request.feedback?.note ?? "", "feedback.note"),
      listPart("withheld", bullets(withheld.map(toCode)), "withheld"),
      findingsPart("openFindings", openFindings, "openFindings"),
      untrustedText("developerReport", developerReport ?? "", "developerReport"),
      gateTailsPart(gates, "gates"),
    ],
  };
}

function leadContent(request: DispatchRequest, template: string, parts: readonly Part[]): Content {
  const values = { slug: request.slug, base: request.intent.base, ...looking() };
  return { template, values, parts: [...planParts(request), ...parts] };
}

function looking(): Record<string, string> {
  return { lookingRules: lookingRules.trim() };
}

function hasItems(parts: readonly Part[], name: string): boolean {
  return parts.some((part) => part.name === name && part.items.length > 0);
}
