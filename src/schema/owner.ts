// The owner file `owner-<token>.json`: who owns a run, written by run-lock, read by every starter and by `status`.

import { z } from "zod";
import { failed, type Result, success } from "../core/result.ts";

const processIdentity = z.object({
  pid: z.int().positive(),
  /** As the system words it; null where it does not say. Compared for equality only. */
  startTime: z.string().nullable(),
  bootId: z.string().nullable(),
  host: z.string(),
  pidNamespace: z.string().nullable().default(null),
});

const owner = processIdentity.extend({
  token: z.string(),
  startedAt: z.string(),
  toolVersion: z.string().default("unknown"),
  /** What is owned, for people: `run "feature-x" in /path`. */
  about: z.string().default(""),
  /** False while its writer still competes for the lock. */
  isHolding: z.boolean().default(true),
});

export type ProcessIdentity = Readonly<z.infer<typeof processIdentity>>;
export type Owner = Readonly<z.infer<typeof owner>>;

/** Owner file to owner; the failure says what is wrong with the text. */
export function decodeOwner(text: string): Result<Owner, string> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return failed("it is not JSON");
  }
  const parsed = owner.safeParse(json);
  if (parsed.success) return success(parsed.data);
  return failed(parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; "));
}

export function encodeOwner(value: Owner): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
