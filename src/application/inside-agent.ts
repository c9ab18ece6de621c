// Agents of a run do not steer runs.

import { problem, type Refusal, refuse } from "./refusal.ts";

/** Commands that change a run refuse when started from inside one of its agents. */
export function refuseInsideAgent(): Refusal | null {
  const role = process.env["EXECUTE_PRD_ROLE"];
  if (role === undefined || role === "") return null;
  return refuse([
    problem({
      path: "EXECUTE_PRD_ROLE",
      value: role,
      expected: "a builder, not an agent of a run",
      hint: "an agent works on its task and writes its report; it does not steer runs",
    }),
  ]);
}
