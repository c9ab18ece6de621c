// One thing that `doctor` looked at.

import { describeProblem } from "../schema/problem.ts";
import type { Refusal } from "./refusal.ts";

export interface CommandCheck {
  readonly name: string;
  readonly state: "ok" | "problem";
  readonly detail: string;
  /** What to do; empty where nothing is to be done. */
  readonly fix: string;
}

export function ok(name: string, detail: string): CommandCheck {
  return { name, state: "ok", detail, fix: "" };
}

export function toChecks(name: string, refusal: Refusal): readonly CommandCheck[] {
  return refusal.problems.map((each) => ({
    name,
    state: "problem",
    detail: describeProblem({ ...each, hint: "" }),
    fix: each.hint,
  }));
}
