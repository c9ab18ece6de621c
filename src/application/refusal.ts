// Why a command does not begin: always with the place, the value, what was expected and what to do (contract 8).

import type { InputProblem } from "../schema/problem.ts";

/** 1 a damaged run, 2 bad input, usage or configuration, 3 storage, 5 another live program owns the run. */
export type RefusalCode = 1 | 2 | 3 | 5;

export interface Refusal {
  readonly exitCode: RefusalCode;
  readonly problems: readonly InputProblem[];
}

export function refuse(problems: readonly InputProblem[], exitCode: RefusalCode = 2): Refusal {
  return { exitCode, problems };
}

/** A problem that is not in a file: `what` names the thing, e.g. `branch "x"`. */
export function problem(at: {
  file?: string;
  path?: string;
  value?: string;
  expected: string;
  hint?: string;
}): InputProblem {
  return {
    file: at.file ?? "",
    path: at.path ?? "",
    value: at.value === undefined ? "" : JSON.stringify(at.value).slice(0, 200),
    expected: at.expected,
    hint: at.hint ?? "",
  };
}
