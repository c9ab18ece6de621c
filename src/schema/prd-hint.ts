// What to do about a problem in a prd.json where nothing in the value itself gives it away: a word for each field.

import { toSlug } from "../core/ids.ts";
import type { InputProblem } from "./problem.ts";

const hints: Readonly<Record<string, string>> = {
  userStories: 'list the tasks there: [{ "id": "task-1", "title": "…", "acceptanceCriteria": ["…"] }]',
  title: "say in a few words what is to be done",
  acceptanceCriteria: 'say what has to hold when the task is done, for instance ["npm test passes"]',
  status: 'of a task that is not done write "pending", or leave it out',
  type: 'leave it out for "auto"',
  checkpoint: 'for instance { "message": "Which colour?", "actions": [{ "id": "red", "label": "Red" }] }',
  metadata: "leave it out: it is computed",
  attemptCount: "leave it out: it is counted anew",
};

/** The problem, with a hint where it had none. */
export function withHint(problem: InputProblem): InputProblem {
  return problem.hint === "" ? { ...problem, hint: toHint(problem) } : problem;
}

function toHint({ path, value }: InputProblem): string {
  const field = /([A-Za-z]+)(?:\[\d+\])?$/.exec(path)?.[1] ?? "";
  if (field === "id") return `for instance ${JSON.stringify(toExampleId(value))}`;
  if (field === "branchName") return 'for instance "feature/my-plan", or leave it out';
  if (path === "" || path.startsWith("line "))
    return "is it the right file? schemas/prd.schema.json says what is in one";
  if (/^(?:userStories|tasks)\[\d+\]$/.test(path)) return hints["userStories"] ?? "";
  const known = hints[field === "tasks" ? "userStories" : field];
  return known ?? (value === "" ? "it is missing: add it" : "correct it, or leave it out");
}

/** Ids are never repaired, only suggested. */
function toExampleId(value: string): string {
  const slug = toSlug(value).slice(0, 40).replace(/-+$/, "");
  return /^(?:|con|prn|aux|nul|(?:com|lpt)\d)$/.test(slug) ? "task-1" : slug;
}
