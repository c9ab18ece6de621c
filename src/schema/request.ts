// A builder's request on its way to the live program: the content of one file in `requests/`. Whoever can write
// into the run folder can write one, so it is checked like any other input.

import { z } from "zod";
import { type TaskId, taskIdProblem } from "../core/ids.ts";
import { failed, type Result, success } from "../core/result.ts";

const byChars = 200;

/** Who asks, on one line: it becomes part of sentences. */
const by = z
  .string()
  .min(1)
  .max(byChars)
  .regex(/^\P{Cc}+$/u, "must be one line without control characters");
const taskId = z.string().transform((text, context): TaskId => {
  const problem = taskIdProblem(text);
  if (problem !== null) context.addIssue({ code: "custom", message: problem });
  return text as TaskId; // checked on the line above; with a problem the whole request is refused
});

const request = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("pause"), now: z.boolean(), by }),
  z.strictObject({ kind: z.literal("answer"), question: z.string().min(1), text: z.string(), by }),
  z.strictObject({ kind: z.literal("retry"), taskId, note: z.string(), by }),
  z.strictObject({ kind: z.literal("skip"), taskId, why: z.string(), by }),
  z.strictObject({ kind: z.literal("cancel"), by }),
]);

export type StoredRequest = Readonly<z.infer<typeof request>>;

/** Text of a request file to a request; the failure says what is wrong with it. */
export function decodeRequest(text: string): Result<StoredRequest, string> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return failed("it is not JSON");
  }
  const parsed = request.safeParse(json);
  if (parsed.success) return success(parsed.data);
  return failed(parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "));
}

export function encodeRequest(value: StoredRequest): string {
  return `${JSON.stringify(value)}\n`;
}
