// What lies ready before an agent is asked: request and files in its drop folder, prompt and request as evidence.

import { lstat } from "node:fs/promises";
import { join } from "node:path";
import type { Failure } from "../../core/failure.ts";
import type { JsonObject } from "../../core/json.ts";
import { type Result, success } from "../../core/result.ts";
import type { AgentRequest } from "../../ports.ts";
import type { AgentRun } from "./agent-run.ts";
import { resolveInside } from "./confined.ts";
import type { DropFolder, HandedOver } from "./drop-folder.ts";
import { evidencePaths, keepEvidence, toJsonText, toRequestDocument } from "./evidence.ts";

/** Files, request and evidence in place; the result is the prompt with the paths of the files handed over. */
export async function prepare(
  folder: DropFolder,
  { request, options }: AgentRun,
): Promise<Result<string, Failure>> {
  const { handed, told } = await folder.handOver(
    await filesOnlyInCheckout(request, options.checkout),
    options.redaction,
  );
  const whole: JsonObject = {
    ...toRequestDocument(request),
    handedOver: handed.map(({ name, path }) => ({ name, path })),
    ...(told.length > 0 ? { notHandedOver: told } : {}),
  };
  const prompt = withHandedOver(request.prompt, handed);
  const paths = evidencePaths(options.runFolder, request);
  for (const kept of [
    await folder.writeRequest(toJsonText(whole)),
    await keepEvidence(paths.request, toJsonText(whole)),
    await keepEvidence(paths.prompt, prompt),
  ]) {
    if (!kept.ok) return kept;
  }
  return success(prompt);
}

/** The prompt with the paths of the files that were handed over. */
function withHandedOver(prompt: string, handed: readonly HandedOver[]): string {
  const lines = handed.map(({ name, path }) => `- ${name}: ${path}`);
  return lines.length === 0
    ? prompt
    : `${prompt.trimEnd()}\n\n## Files outside the working directory\n\nRead-only copies of files that are not in the repository:\n\n${lines.join("\n")}\n`;
}

/** What the plan names and the lane does not have: the builder has not committed it, or git ignores it. */
async function filesOnlyInCheckout({ files, cwd }: AgentRequest, checkout: string) {
  const missing: { from: string; name: string }[] = [];
  for (const name of new Set(files)) {
    const place = await resolveInside(checkout, name);
    if (!place.ok || (await exists(join(cwd, name))) || !(await exists(place.value))) continue;
    missing.push({ from: place.value, name });
  }
  return missing;
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null)) !== null;
}
