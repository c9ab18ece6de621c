// The calls of one answer, carried out one after another, and the report among them.

import type { Failure } from "../../../core/failure.ts";
import { limits } from "../../../core/limits.ts";
import type { StageReport } from "../../../core/report.ts";
import type { AgentRequest } from "../../../ports.ts";
import { readReport } from "../../../schema/report.ts";
import type { Redaction } from "../../redaction/redaction.ts";
import { reportAsText } from "../report-text.ts";
import type { Line } from "./ask.ts";
import type { UserBlock } from "./conversation.ts";
import type { ToolCall } from "./message.ts";
import { createRepeats } from "./repeats.ts";
import { answered, refused, type Tool, type ToolAnswer, type ToolPlace } from "./tool.ts";
import { toBoundedText } from "./tool-text.ts";
import { callTool, reportName } from "./tools.ts";

export type LoopEnd =
  | { readonly kind: "reported"; readonly report: StageReport }
  | { readonly kind: "failed"; readonly failure: Failure }
  /** By a signal or a time-out. */
  | { readonly kind: "stopped" };

interface Wanted {
  readonly request: AgentRequest;
  readonly line: Line;
  readonly place: ToolPlace;
  readonly tools: readonly Tool[];
  readonly onReport: (bytes: Buffer) => Promise<void>;
}

export class Turn {
  readonly #wanted: Wanted;
  readonly #repeats = createRepeats();
  #reportTries = 0;
  #reportProblems: readonly string[] | null = null;
  #report: StageReport | null = null;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
  }

  /** The results, in the order of the calls; and the end of the dispatch where it has come. */
  async carryOut(calls: readonly ToolCall[]): Promise<{ end: LoopEnd | null; results: UserBlock[] }> {
    const { line, place } = this.#wanted;
    const results: UserBlock[] = [];
    let worst = 0;
    let room: number = limits.turnResultChars;
    for (const [index, call] of calls.entries()) {
      if (line.watch.signal.aborted) return { end: { kind: "stopped" }, results };
      line.transcript.record({ event: "call", id: call.id, name: call.name, input: call.input });
      line.transcript.say(toShownCall(call, place.run.options.redaction));
      const isOver = index >= limits.toolCallsPerTurn;
      const answer = isOver ? tooManyCalls : await line.watch.during(() => this.#call(call));
      // The report is counted by itself; a call that is not carried out says nothing of the model's way.
      const times = isOver || call.name === reportName ? 0 : this.#repeats.ofCall(call, answer);
      worst = Math.max(worst, times);
      line.transcript.record({ event: "result", id: call.id, ok: answer.ok, text: answer.text });
      const fitting = answer.text.length <= room ? answer : toShort(answer);
      room -= fitting.text.length;
      results.push(toResult(call, times >= limits.sameCallsTold ? withWarning(fitting, times) : fitting));
    }
    worst = Math.max(worst, this.#repeats.ofTurn());
    return { end: this.#endAfter(worst), results };
  }

  /** A report that the model says in place of calling the tool; null: it said something else. */
  async takeText(text: string): Promise<LoopEnd | null> {
    const said = reportAsText(text);
    if (said === undefined) return null;
    await this.#takeReport(said);
    return this.#report === null ? null : { kind: "reported", report: this.#report };
  }

  /** Why there is no report: none was given, or none could be used. */
  failureWithoutReport(): Failure {
    const about = { agent: this.#wanted.request.agentKey, stage: this.#wanted.request.stage };
    if (this.#reportProblems === null) return { reason: "report-missing", ...about };
    return { reason: "report-invalid", ...about, problems: this.#reportProblems };
  }

  #endAfter(worst: number): LoopEnd | null {
    if (this.#report !== null) return { kind: "reported", report: this.#report };
    if (this.#wanted.line.watch.signal.aborted) return { kind: "stopped" };
    if (this.#reportTries > limits.reportTries)
      return { kind: "failed", failure: this.failureWithoutReport() };
    if (worst < limits.sameCallsEnd) return null;
    const how = `it made the same calls with the same results ${worst} times in a row`;
    const { agentKey: agent } = this.#wanted.request;
    return { kind: "failed", failure: { reason: "agent-went-nowhere", agent, how } };
  }

  #call(call: ToolCall): Promise<ToolAnswer> {
    if (!call.isWhole) return Promise.resolve(notWhole);
    if (call.name === reportName) return this.#takeReport(call.input);
    return callTool(this.#wanted.tools, { place: this.#wanted.place, call });
  }

  async #takeReport(input: unknown): Promise<ToolAnswer> {
    if (this.#report !== null) return refused("there is a report already");
    const { request, place } = this.#wanted;
    const bytes = Buffer.from(`${JSON.stringify(place.run.options.redaction.json(input), null, 2)}\n`);
    await this.#wanted.onReport(bytes);
    const { stage, attempt: round, criteriaCount, taskIds } = request;
    const read = readReport({ stage, bytes, round, criteriaCount, taskIds });
    if (read.ok) {
      this.#report = read.value.report;
      return answered("the report is taken");
    }
    this.#reportTries += 1;
    this.#reportProblems = read.failure;
    return refused(`the report cannot be used: ${read.failure.join("; ")}. Correct it and call report again`);
  }
}

const tooManyCalls = refused(
  `only ${limits.toolCallsPerTurn} calls of one answer are carried out; make this one again`,
);
const notWhole = refused("the input of this call is no JSON object; nothing was done");

/** Where the results of one answer are too much together. */
function toShort({ ok, text }: ToolAnswer): ToolAnswer {
  return { ok, text: toBoundedText(text, limits.toolLineChars) };
}

function withWarning({ ok, text }: ToolAnswer, times: number): ToolAnswer {
  const warning = `[You have made this call ${times} times in a row, with the same result. Do something else, or report; after ${limits.sameCallsEnd} times you are ended.]`;
  return { ok, text: `${text}\n${warning}` };
}

function toResult({ id }: ToolCall, { ok, text }: ToolAnswer): UserBlock {
  const content = text === "" ? "(nothing)" : text;
  return { type: "tool_result", tool_use_id: id, content, ...(ok ? {} : { is_error: true }) };
}

const shownInputChars = 200;

/** Secrets go before it is cut. */
function toShownCall({ name, input }: ToolCall, redaction: Redaction): string {
  return `${name} ${JSON.stringify(redaction.json(input)).slice(0, shownInputChars)}`;
}
