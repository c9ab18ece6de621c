// `doctor`: is everything in place for a run here? Each check is ok or a problem with its fix; nothing is changed.

import { type Checkout, inspectCheckout } from "../adapters/git/inspect.ts";
import type { Prd } from "../core/prd.ts";
import { describeProblem } from "../schema/problem.ts";
import { checkoutRefusal } from "./checkout-refusal.ts";
import { type CommandCheck, ok, toChecks } from "./doctor-check.ts";
import { checkRuns } from "./doctor-runs.ts";
import { checkSandbox } from "./doctor-sandbox.ts";
import { findPolicy } from "./policy.ts";
import { findProblems, worktreeRootOf } from "./preflight.ts";

export interface Diagnosis {
  readonly checks: readonly CommandCheck[];
  readonly isHealthy: boolean;
}

export async function diagnose(at: { cwd?: string }): Promise<Diagnosis> {
  const checks: CommandCheck[] = [checkNode()];
  const checkout = await inspectCheckout(at.cwd ?? process.cwd());
  if (checkout.ok) {
    const { gitVersion, topLevel } = checkout.value;
    checks.push(ok("git", `version ${gitVersion}, repository ${topLevel}`));
    checks.push(...(await checkConfiguration(checkout.value)), ...(await checkRuns(checkout.value)));
  } else {
    checks.push(...toChecks("git", checkoutRefusal(checkout.failure)));
  }
  return { checks, isHealthy: checks.every(({ state }) => state === "ok") };
}

const wantedNode = [20, 19] as const;

function checkNode(): CommandCheck {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const isNew = major > wantedNode[0] || (major === wantedNode[0] && minor >= wantedNode[1]);
  if (isNew) return ok("node", `version ${process.versions.node}`);
  const wanted = wantedNode.join(".");
  return {
    name: "node",
    state: "problem",
    detail: `version ${process.versions.node}`,
    fix: `install Node ${wanted} or newer`,
  };
}

async function checkConfiguration(checkout: Checkout): Promise<readonly CommandCheck[]> {
  const found = await findPolicy(checkout.topLevel, {});
  if (!found.ok) return toChecks("configuration", found.failure);
  const { policy, hasNamedGates, told } = found.value;
  const mainWorktree = checkout.mainWorktree ?? checkout.topLevel;
  const problems = await findProblems({
    checkout: checkout.topLevel,
    mainWorktree,
    worktreeRoot: worktreeRootOf(mainWorktree, policy),
    policy,
    hasNamedGates,
    prd: noTasks,
    planFile: "",
  });
  const troubles = problems.map((each): CommandCheck => {
    return {
      name: nameOf(each.path),
      state: "problem",
      detail: describeProblem({ ...each, hint: "" }),
      fix: each.hint,
    };
  });
  const gates = policy.gates.map(({ name, command }) => `${name} (${command})`).join(", ");
  return [
    ok(
      "configuration",
      Object.keys(policy.agents)
        .map((key) => `agent ${key}`)
        .join(", "),
    ),
    ok("gates", gates === "" ? "none" : gates),
    await checkSandbox(policy),
    ...(policy.setup === "" ? [] : [ok("setup", policy.setup)]),
    ...told.map((text) => ok("note", text)),
    ...troubles,
  ];
}

const noTasks: Prd = {
  name: "",
  branchName: null,
  goal: "",
  tasks: [],
  globalConstraints: [],
  requiredReading: [],
  createdAt: null,
  extra: {},
  metadataExtra: {},
};

function nameOf(path: string): string {
  return path.split(/[.[]/)[0] || "place";
}
