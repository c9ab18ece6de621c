// The shape of a prd.json as it may be written by people and other programs: every spelling that is understood.
// The JSON Schema that ships is made of this; what it cannot say (ids that exist, cycles) is in prd-check.

import { z } from "zod";
import { taskIdProblem } from "../core/ids.ts";
import { branchNameProblem } from "./branch-name.ts";

export const statusWords = {
  pending: "pending",
  in_progress: "in_progress",
  complete: "complete",
  completed: "complete",
  done: "complete",
  failed: "failed",
} as const;

export const taskTypes = [
  "auto",
  "checkpoint:human-verify",
  "checkpoint:decision",
  "checkpoint:human-action",
] as const;

type StatusWord = keyof typeof statusWords;
const statuses = Object.keys(statusWords) as StatusWord[]; // the keys of a literal are its own

const text = (expected: string) => z.string({ error: expected });
const filledText = (expected: string) => text(expected).regex(/\S/, { error: expected });
const flag = z.boolean({ error: "true or false" }).nullish();
const optionalText = text("a text").nullish();
const texts = z.array(text("a text"), { error: "a list of texts" }).nullish();
const wholeNumber = z
  .int({ error: "a whole number, 0 or more" })
  .min(0, { error: "a whole number, 0 or more" });

const idWords = 'an id, a text such as "task-1"';
const taskId = text(idWords)
  .refine((id) => taskIdProblem(id) === null, {
    error: (issue) => `an id: ${typeof issue.input === "string" ? taskIdProblem(issue.input) : idWords}`,
  })
  .meta({ pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$" });

const branchName = text("a branch name").refine((name) => branchNameProblem(name) === null, {
  error: (issue) =>
    `a branch name: ${typeof issue.input === "string" ? branchNameProblem(issue.input) : "a text"}`,
});

const ids = z.array(text("the id of a task, a text"), { error: "a list of ids" }).nullish();

const checkpoint = z.object(
  {
    message: optionalText,
    actions: z
      .array(
        z.object(
          { id: filledText("the id of an action, not empty"), label: optionalText },
          { error: "an action: an object with id and label" },
        ),
        { error: "a list of actions" },
      )
      .nullish(),
    defaultAction: optionalText,
    timeoutMs: wholeNumber.nullish(),
  },
  { error: "an object with message, actions, defaultAction, timeoutMs" },
);

const criteriaWords = "at least one acceptance criterion, in a list";

export const taskShape = z
  .object(
    {
      id: taskId,
      title: filledText("a title, not empty"),
      description: optionalText,
      acceptanceCriteria: z
        .array(filledText("a criterion, a text that is not empty"), { error: criteriaWords })
        .min(1, { error: criteriaWords }),
      status: z.enum(statuses, { error: "pending, in_progress, complete or failed" }).nullish(),
      passes: flag,
      attemptCount: wholeNumber.nullish(),
      notes: optionalText,
      commitSha: optionalText,
      dependsOn: ids,
      dependencies: ids,
      depends_on: ids,
      filesToRead: texts,
      contextFiles: texts,
      filesTouched: texts,
      files: texts,
      file: z
        .union([text("a path"), z.array(text("a path"))], { error: "a path or a list of paths" })
        .nullish(),
      warnings: texts,
      mitigations: texts,
      priority: z.number({ error: "a number" }).nullish(),
      type: z.string({ error: taskTypes.join(", ") }).nullish(),
      checkpoint: checkpoint.nullish(),
      agent: filledText("a key of the configured agents, not empty").nullish(),
      gates: texts,
      allowNoChanges: flag,
      allowDeletions: flag,
    },
    { error: "a task: an object with id, title and acceptanceCriteria" },
  )
  .meta({ id: "task" });

const tasks = z.array(taskShape, { error: "a list of tasks" }).nullish();

export const prdShape = z
  .object(
    {
      name: optionalText,
      branchName: branchName.nullish(),
      goal: optionalText,
      userStories: tasks,
      tasks,
      globalConstraints: texts,
      requiredReading: texts,
      metadata: z.object({ createdAt: text("a time").nullish() }, { error: "an object" }).nullish(),
    },
    { error: "an object with userStories" },
  )
  .meta({ anyOf: [{ required: ["userStories"] }, { required: ["tasks"] }] });

export type PrdInput = z.output<typeof prdShape>;
export type TaskInput = z.output<typeof taskShape>;
