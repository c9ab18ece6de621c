// Where words go: data to stdout, words for people to stderr when stdout is data. No colour when stdout is no
// terminal or NO_COLOR is set. Secrets are taken out of all of it.

import { programRedaction } from "../../application/redaction.ts";
import type { Refusal } from "../../application/refusal.ts";
import { describeProblem, type InputProblem } from "../../schema/problem.ts";

export interface Output {
  readonly isJson: boolean;
  /** Whether a person watches a terminal: then a live view may redraw lines. */
  readonly isTerminal: boolean;
  /** One JSON document or line on stdout. */
  data(value: unknown): void;
  /** A line for people: stdout, or stderr when stdout is data. */
  line(text?: string): void;
  /** A line about trouble, always on stderr. */
  trouble(text: string): void;
  /** Raw text of the live view. */
  draw(text: string): void;
  readonly paint: Paint;
  readonly columns: number;
}

interface Paint {
  green(text: string): string;
  red(text: string): string;
  yellow(text: string): string;
  dim(text: string): string;
  bold(text: string): string;
}

export function openOutput(at: { isJson: boolean }): Output {
  const { stdout, stderr } = process;
  const redaction = programRedaction();
  const isTerminal = stdout.isTTY === true && !at.isJson;
  const hasColour = isTerminal && (process.env["NO_COLOR"] ?? "") === "" && process.env["TERM"] !== "dumb";
  return {
    isJson: at.isJson,
    isTerminal,
    data: (value) => void stdout.write(`${JSON.stringify(redaction.json(value))}\n`),
    line: (text = "") => void (at.isJson ? stderr : stdout).write(`${redaction.text(text)}\n`),
    trouble: (text) => void stderr.write(`${redaction.text(text)}\n`),
    draw: (text) => void stdout.write(redaction.text(text)),
    paint: toPaint(hasColour),
    // A terminal that does not know its width says 0.
    columns: stdout.columns > 0 ? stdout.columns : 100,
  };
}

/**
 * What reads may go away (`| head`), what stores may be full: the screen is only a view, and neither ends a run.
 * The answer says whether output was lost that somebody wanted.
 */
export function surviveLostOutput(): () => boolean {
  const { stdout, stderr } = process;
  let isLost = false;
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    const isReaderGone = /^(?:EPIPE|ERR_STREAM_.*)$/.test(error.code ?? "");
    if (isReaderGone || isLost) return;
    isLost = true;
    stderr.write(`error: the output cannot be written: ${error.message}\n`);
  });
  stderr.on("error", () => {}); // nobody is left to be told
  return () => isLost;
}

function toPaint(hasColour: boolean): Paint {
  const paint = (code: number) => (text: string) => (hasColour ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { green: paint(32), red: paint(31), yellow: paint(33), dim: paint(2), bold: paint(1) };
}

/** Says why a command did not begin; returns its exit code. */
export function printRefusal(output: Output, refusal: Refusal): number {
  if (output.isJson) output.data({ ok: false, errors: refusal.problems.map(toData) });
  for (const problem of refusal.problems) output.trouble(`error: ${describeProblem(problem)}`);
  return refusal.exitCode;
}

/** A text as it is, not in quotes once more: other values as their JSON, nothing as nothing. */
function toData(problem: InputProblem): InputProblem {
  const value = toText(problem.value);
  // One with unseen characters stays quoted: what prints it may be a terminal.
  const isPlain = value !== null && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(value);
  return isPlain ? { ...problem, value } : problem;
}

/** null: it is no text, or its end was cut off. */
function toText(json: string): string | null {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "string" ? value : null;
  } catch {
    return null;
  }
}

/** What nothing else caught: a bug of this program. */
export function printBug(error: unknown): void {
  const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const output = openOutput({ isJson: false });
  output.trouble(`execute-prd: a bug of this program, please report it:\n${words}`);
  output.trouble("What the journal has is safe; the same command goes on from there.");
}
