// What happened in a dispatch: for the record each event as a line of JSON, for those who look on a few words.

import { limits } from "../../../core/limits.ts";
import { failed, type Result, success } from "../../../core/result.ts";
import { openOutput } from "../../process/output.ts";
import { toVisibleLine } from "../../process/text.ts";
import type { AgentRun } from "../agent-run.ts";

export interface Transcript {
  record(event: { readonly event: string; readonly [field: string]: unknown }): void;
  /** Any text; each of its lines is shown. */
  say(text: string): void;
  end(): void;
}

/** Fails with the error's code where it cannot be written. */
export function openTranscript(path: string, { options, onOutput }: AgentRun): Result<Transcript, string> {
  const { redaction } = options;
  const opened = openOutput({ log: path, format: "json lines", onLine: () => {}, redaction });
  if (!opened.ok) return failed(opened.failure);
  const output = opened.value;
  return success({
    record: (event) => output.take("stdout", Buffer.from(`${JSON.stringify(redaction.json(event))}\n`)),
    say: (text) => {
      for (const line of redaction.text(text).split("\n").slice(0, mostLinesShown)) {
        const visible = toVisibleLine(line).slice(0, limits.outputTailChars);
        if (visible.trim() !== "") onOutput(visible);
      }
    },
    end: () => void output.end(),
  });
}

const mostLinesShown = 200;
