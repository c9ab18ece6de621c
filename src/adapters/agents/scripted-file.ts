// The file of steps of a scripted agent: its shape, read strictly, with every error at once.
//
//   { "steps": [ { "when": { "stage": "develop", "taskId": "task-1", "attempt": 1 },
//                  "do": [ { "write": "src/a.ts", "text": "…" }, { "run": ["npm", "test"] } ],
//                  "report": { … }, "exit": 0 } ],
//     "otherwise": { "review": { … } } }
//
// The first step whose `when` fits a request is played; without one, the report of the stage in `otherwise` is
// given. Paths are below the agent's working directory.

import { z } from "zod";
import { limits } from "../../core/limits.ts";
import { failed, type Result, success } from "../../core/result.ts";
import { decodeJson } from "../../schema/json-text.ts";
import { describeProblem, ProblemList } from "../../schema/problem.ts";
import { checkShape } from "../../schema/zod-problems.ts";
import { confinedPathProblem } from "./confined.ts";

const path = z
  .string({ error: "a path below the working directory" })
  .refine((text) => confinedPathProblem(text) === null, {
    error: 'a path below the working directory: relative, without ".."',
  });
const text = z.string({ error: "a text" });
const milliseconds = z.int({ error: "whole milliseconds, at least 0" }).min(0, { error: "at least 0" });
const words = z
  .array(z.string({ error: "a text" }), { error: "a program and its arguments" })
  .min(1, { error: "a program and its arguments" });

const action = z.union(
  [
    z.strictObject({ write: path, text, executable: z.boolean().optional() }),
    z.strictObject({ copy: path, to: path }),
    z.strictObject({ delete: path }),
    z.strictObject({ run: words }),
    z.strictObject({ wait: milliseconds }),
    z.strictObject({ say: text }),
  ],
  {
    error:
      'one of { "write": path, "text": … }, { "copy": path, "to": path }, { "delete": path }, { "run": [program, …] }, { "wait": ms }, { "say": line }, with paths below the working directory',
  },
);

const stages = ["develop", "review", "precheck", "recon", "pre-mortem", "holistic-review"] as const;
const roles = ["developer", "reviewer", "orchestrator"] as const;

const when = z.strictObject(
  {
    stage: z.enum(stages, { error: `one of ${stages.join(", ")}` }).optional(),
    role: z.enum(roles, { error: `one of ${roles.join(", ")}` }).optional(),
    taskId: z.string({ error: "a task's id, or null for run stages" }).nullable().optional(),
    attempt: z.int({ error: "a whole number" }).optional(),
    try: z.int({ error: "a whole number" }).optional(),
  },
  { error: "an object with any of stage, role, taskId, attempt, try" },
);

const step = z.strictObject(
  {
    when: when.optional(),
    do: z.array(action, { error: "a list of actions" }).optional(),
    /** Missing or null: the agent leaves no report. */
    report: z.json({ error: "any JSON" }).optional(),
    exit: z
      .int({ error: "an exit code" })
      .min(0, { error: "0 to 255" })
      .max(255, { error: "0 to 255" })
      .optional(),
  },
  { error: "a step: { when, do, report, exit }" },
);

const script = z.strictObject(
  {
    $schema: z.string().optional(),
    steps: z.array(step, { error: "a list of steps" }).optional(),
    otherwise: z
      .partialRecord(z.enum(stages), z.json({ error: "a report" }), { error: "an object: stage to report" })
      .optional(),
  },
  { error: "an object { steps, otherwise }" },
);

export type Script = z.infer<typeof script>;
export type ScriptStep = z.infer<typeof step>;
export type ScriptAction = z.infer<typeof action>;

/** Fails with one line for each thing that is wrong. */
export function decodeScript(bytes: Uint8Array, file: string): Result<Script, readonly string[]> {
  const json = decodeJson({ text: bytes, file }, limits.prdBytes);
  if (!json.ok) return failed([describeProblem(json.failure)]);
  const problems = new ProblemList(file);
  if (!checkShape({ shape: script, value: json.value, problems })) {
    return failed(problems.all().map(describeProblem));
  }
  return success(script.parse(json.value));
}
