// What a dispatch was asked and answered, kept in the run folder.

import { constants } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Failure } from "../../core/failure.ts";
import type { JsonObject } from "../../core/json.ts";
import { failed, type Result, success } from "../../core/result.ts";
import type { AgentRequest } from "../../ports.ts";
import { reportSchemas } from "../../schema/report.ts";
import { codeOf } from "../process/output.ts";

export interface EvidencePaths {
  readonly prompt: string;
  readonly request: string;
  readonly report: string;
  readonly transcript: string;
}

export function evidencePaths(runFolder: string, { stage, evidence }: AgentRequest): EvidencePaths {
  const { folder, prefix } = evidence;
  const inFolder = (name: string) => join(runFolder, folder, name);
  const isReview = stage === "review" && prefix === "review-";
  return {
    prompt: inFolder(`${prefix}prompt.md`),
    request: inFolder(`${prefix}request.json`),
    report: inFolder(isReview ? "review.json" : `${prefix}report.json`),
    transcript: inFolder(`${prefix}transcript.jsonl`),
  };
}

/** Replaces what was there; a link at the place is never written through. */
export async function keepEvidence(path: string, content: string | Buffer): Promise<Result<void, Failure>> {
  const flag = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | (constants.O_NOFOLLOW ?? 0);
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content, { flag });
    return success(undefined);
  } catch (error) {
    return failed({ reason: "storage-failed", doing: "writing", path, code: codeOf(error) });
  }
}

/** The engine's request with the schema of the report that is asked for. */
export function toRequestDocument({ request, stage }: AgentRequest): JsonObject {
  return { ...request, reportSchema: reportSchemas[stage] };
}

export function toJsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
