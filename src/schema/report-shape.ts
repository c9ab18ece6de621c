// The shape of what agents write, stage by stage: strict about what is required, blind to what is not known.
// The schema that an agent is given with its request is made of this.

import { z } from "zod";
import type { AgentStage } from "../core/report.ts";

const text = (expected: string) => z.string({ error: expected });
// Something visible must be left when spaces and control characters are taken away.
const filledText = (expected: string) => text(expected).regex(/[^\s\p{C}]/u, { error: expected });
const texts = (expected: string) => z.array(text("a text"), { error: expected });
const amount = (expected: string) => z.number({ error: expected }).min(0, { error: expected });
const severity = z.enum(["critical", "major", "minor", "note"], { error: "critical, major, minor or note" });

export const usageShape = z.object(
  {
    inputTokens: amount("a number of tokens, 0 or more"),
    outputTokens: amount("a number of tokens, 0 or more"),
    cacheReadTokens: amount("a number of tokens, 0 or more").nullish(),
    cacheWriteTokens: amount("a number of tokens, 0 or more").nullish(),
    costUsd: amount("a number of US dollars, 0 or more").nullish(),
  },
  { error: "an object with inputTokens and outputTokens" },
);

const usage = usageShape.nullish();

const question = z.object(
  { text: filledText("the question, not empty"), options: texts("a list of texts").nullish() },
  { error: "an object with text and options" },
);

const develop = z.object(
  {
    summary: filledText("what was done, not empty"),
    // Never believed: what changed comes from git.
    filesChanged: z.unknown().optional(),
    reflection: text("a text").nullish(),
    signals: texts("a list of texts").nullish(),
    question: question.nullish(),
    usage,
  },
  { error: "an object with summary" },
);

const score = "a number from 0 to 100";

const finding = z.object(
  {
    id: text("a text").nullish(),
    severity,
    // Where it is helps but decides nothing: a review is not thrown away for a line "12-15".
    file: text("a path").nullish().catch(null),
    line: z.int().min(1).nullish().catch(null),
    problem: filledText("what is wrong, not empty"),
    fix: text("what to do, a text"),
  },
  { error: "an object with severity, problem and fix" },
);

const criterion = z.object(
  {
    index: z
      .int({ error: "the criterion's number, from 0" })
      .min(0, { error: "the criterion's number, from 0" }),
    verdict: z.enum(["met", "not met", "cannot tell"], { error: "met, not met or cannot tell" }),
    where: text("where it is shown, a text"),
  },
  { error: "an object with index, verdict and where" },
);

const review = z.object(
  {
    verdict: z.enum(["approved", "iterate"], { error: "approved or iterate" }),
    score: z.number({ error: score }).min(0, { error: score }).max(100, { error: score }),
    criteria: z.array(criterion, { error: "a list of criteria" }).nullish(),
    findings: z.array(finding, { error: "a list of findings" }),
    justified: z
      .array(
        z.object(
          { finding: filledText("the id of a finding"), why: filledText("a reason, not empty") },
          { error: "an object with finding and why" },
        ),
        { error: "a list of justifications" },
      )
      .nullish(),
    usage,
  },
  { error: "an object with verdict, score and findings" },
);

const precheck = z.object(
  {
    verdict: z.enum(["approved", "needs_refinement"], { error: "approved or needs_refinement" }),
    issues: texts("a list of texts"),
    usage,
  },
  { error: "an object with verdict and issues" },
);

const recon = z.object(
  {
    tasks: z.array(
      z.object(
        {
          id: text("the id of a task"),
          verdict: z.enum(["confirmed", "partial", "phantom"], { error: "confirmed, partial or phantom" }),
          evidence: text("what shows it, a text"),
        },
        { error: "an object with id, verdict and evidence" },
      ),
      { error: "a list of tasks" },
    ),
    usage,
  },
  { error: "an object with tasks" },
);

const preMortem = z.object(
  {
    risks: z.array(
      z.object(
        {
          name: filledText("the risk's name, not empty"),
          category: text("a text"),
          severity,
          problem: filledText("what may go wrong, not empty"),
          mitigation: text("what prevents it, a text"),
          verification: text("how to see that it was prevented, a text"),
          taskIds: texts("a list of task ids").nullish(),
        },
        { error: "an object with name, category, severity, problem, mitigation and verification" },
      ),
      { error: "a list of risks" },
    ),
    usage,
  },
  { error: "an object with risks" },
);

const criteriaWords = "at least one acceptance criterion, in a list";

const holistic = z.object(
  {
    verdict: z.enum(["pass", "gaps"], { error: "pass or gaps" }),
    summary: filledText("the judgement in a few sentences, not empty"),
    followUps: z.array(
      z.object(
        {
          title: filledText("a title, not empty"),
          description: text("a text"),
          acceptanceCriteria: z
            .array(filledText("a criterion, not empty"), { error: criteriaWords })
            .min(1, { error: criteriaWords }),
        },
        { error: "an object with title, description and acceptanceCriteria" },
      ),
      { error: "a list of follow-up tasks" },
    ),
    learnings: texts("a list of texts"),
    usage,
  },
  { error: "an object with verdict, summary, followUps and learnings" },
);

export const reportShapes = {
  develop,
  review,
  precheck,
  recon,
  "pre-mortem": preMortem,
  "holistic-review": holistic,
} as const satisfies Record<AgentStage, z.ZodType>;

export type ReportInput<Stage extends AgentStage> = z.output<(typeof reportShapes)[Stage]>;
