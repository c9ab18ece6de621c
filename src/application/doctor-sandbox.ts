// What `doctor` says of the sandbox.

import type { Policy } from "../core/policy.ts";
import { type CommandCheck, ok } from "./doctor-check.ts";
import { chooseSandbox, sandboxFix } from "./sandbox.ts";

export async function checkSandbox(policy: Pick<Policy, "sandbox" | "network">): Promise<CommandCheck> {
  const name = "sandbox";
  const { tool, why, isOff } = await chooseSandbox(policy);
  const network = policy.network ? "" : ", without network";
  if (tool !== null) return ok(name, `${tool.kind} (${tool.program})${network}`);
  const detail = `none: ${why ?? ""}. Agents, setup and gates can read and write whatever you can`;
  if (isOff) return { name, state: "ok", detail, fix: 'set "sandbox" to "auto"' };
  return { name, state: policy.sandbox === "required" ? "problem" : "ok", detail, fix: sandboxFix };
}
