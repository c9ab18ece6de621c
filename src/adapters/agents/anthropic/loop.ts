// The loop: ask the model, carry out what it calls, tell it the results, until it reports.
//
//   room? ── clear old results, or sum up ──> ask ── answer ──> by its stop reason:
//     ^                                                            calls: in their order, results in one message
//     └────────────────────────────────────────────────────────────┘      `report`: done
//
// Every way around has a bound: turns, answers cut off in a row, repeated calls, reports that cannot be used,
// summaries, tries and waits of one request (ask.ts), and the time of the dispatch (watch.ts).

import type { Failure } from "../../../core/failure.ts";
import { limits } from "../../../core/limits.ts";
import type { AgentRequest } from "../../../ports.ts";
import { type Asked, askModel, type Line } from "./ask.ts";
import { Conversation } from "./conversation.ts";
import { type ModelAnswer, type TokenCount, withoutCutOff } from "./message.ts";
import type { ServiceRequest } from "./messages-api.ts";
import { makeRoom, sumUp } from "./room.ts";
import { askForReport, cutOffNote, fewAnswersLeft, toSystemPrompt } from "./system-prompt.ts";
import type { ToolPlace } from "./tool.ts";
import { toDefinitions, toolsFor } from "./tools.ts";
import { type LoopEnd, Turn } from "./turn.ts";

export interface LoopWanted {
  readonly request: AgentRequest;
  readonly prompt: string;
  readonly model: string;
  readonly line: Line;
  readonly place: ToolPlace;
  /** Keeps what was given as a report, also what cannot be used. */
  readonly onReport: (bytes: Buffer) => Promise<void>;
}

export function runLoop(wanted: LoopWanted): Promise<LoopEnd> {
  return new Loop(wanted).run();
}

class Loop {
  readonly #wanted: LoopWanted;
  readonly #base: Pick<ServiceRequest, "model" | "system" | "tools" | "output_config">;
  readonly #conversation: Conversation;
  readonly #turn: Turn;
  #window: number;
  #outputTokens: number;
  #cutOffInARow = 0;
  #summaries = 0;
  #isTooLong = false;
  #wasAskedForReport = false;
  #mustReport = false;

  constructor(wanted: LoopWanted) {
    const { request, prompt, model, line } = wanted;
    const tools = toolsFor(request);
    const text = toSystemPrompt(request);
    this.#wanted = wanted;
    this.#base = {
      model,
      system: [{ type: "text", text, cache_control: { type: "ephemeral" } }],
      tools: toDefinitions(tools, request),
      ...(request.agent.effort === null ? {} : { output_config: { effort: request.agent.effort } }),
    };
    const fixedChars = text.length + JSON.stringify(this.#base.tools).length;
    this.#conversation = new Conversation({ task: prompt, fixedChars });
    this.#turn = new Turn({ ...wanted, tools });
    this.#window = line.bounds.contextTokens;
    this.#outputTokens = line.bounds.outputTokens;
  }

  async run(): Promise<LoopEnd> {
    const most = this.#wanted.request.agent.maxTurns || this.#wanted.line.bounds.turns;
    for (let turn = 1; turn <= most; turn += 1) {
      const full = await this.#makeRoom();
      if (full !== null) return full;
      const asked = await this.#ask();
      const end = asked.kind === "answer" ? await this.#take(asked) : await this.#onTrouble(asked);
      if (end !== null) return end;
      if (most - turn === answersLeftTold) this.#conversation.addText(fewAnswersLeft(answersLeftTold));
    }
    return this.#wentNowhere(`it used up its ${most} turns`);
  }

  async #ask(): Promise<Asked> {
    const { line } = this.#wanted;
    const request: ServiceRequest = {
      ...this.#base,
      max_tokens: this.#outputTokens,
      messages: this.#conversation.toMessages(),
    };
    if (!this.#mustReport) return askModel(line, request);
    this.#mustReport = false;
    const asked = await askModel(line, { ...request, tool_choice: { type: "tool", name: "report" } });
    // Some models cannot be made to call a tool; the words in the conversation ask for it, too.
    const isRefused = asked.kind === "failed" && asked.failure.reason === "request-refused";
    return isRefused ? askModel(line, request) : asked;
  }

  async #take({ answer, tokens }: { answer: ModelAnswer; tokens: TokenCount }): Promise<LoopEnd | null> {
    this.#tell(answer, tokens);
    this.#isTooLong = false;
    if (answer.stopReason !== "max_tokens") this.#cutOffInARow = 0;
    switch (answer.stopReason) {
      case "tool_use":
      case "end_turn":
      case "stop_sequence":
        this.#conversation.addAnswer(answer, tokens);
        return answer.calls.length > 0 ? this.#carryOut(answer) : this.#withoutCall(answer);
      case "pause_turn":
        this.#conversation.addAnswer(answer, tokens);
        return answer.calls.length > 0 ? this.#carryOut(answer) : null;
      case "max_tokens":
        return this.#cutOff(answer, tokens);
      case "model_context_window_exceeded":
        this.#learnWindow();
        return this.#sumUp();
      case "refusal":
        return this.#failed({ reason: "agent-refused", agent: this.#agent, detail: answer.refusal });
      default:
        return this.#wentNowhere(`the model stopped for a reason that is not known: ${answer.stopReason}`);
    }
  }

  async #carryOut(answer: ModelAnswer): Promise<LoopEnd | null> {
    const { end, results } = await this.#turn.carryOut(answer.calls);
    if (results.length > 0) this.#conversation.addUser(results);
    return end;
  }

  async #withoutCall({ text }: ModelAnswer): Promise<LoopEnd | null> {
    const said = await this.#turn.takeText(text);
    if (said !== null) return said;
    if (this.#wasAskedForReport) return this.#failed(this.#turn.failureWithoutReport());
    this.#wasAskedForReport = true;
    this.#mustReport = true;
    this.#conversation.addText(askForReport);
    return null;
  }

  /** First with more room for the answer, and nothing of the first one kept; then in smaller steps. */
  async #cutOff(answer: ModelAnswer, tokens: TokenCount): Promise<LoopEnd | null> {
    const { outputTokensMost } = this.#wanted.line.bounds;
    if (this.#outputTokens < outputTokensMost) {
      this.#outputTokens = outputTokensMost;
      return null;
    }
    this.#cutOffInARow += 1;
    if (this.#cutOffInARow >= limits.cutOffInARow) {
      return this.#wentNowhere(`its answers were cut off ${limits.cutOffInARow} times in a row`);
    }
    const whole = withoutCutOff(answer);
    this.#conversation.addAnswer(whole, tokens);
    const end = whole.calls.length > 0 ? await this.#carryOut(whole) : null;
    this.#conversation.addText(cutOffNote);
    return end;
  }

  async #onTrouble(asked: Exclude<Asked, { kind: "answer" }>): Promise<LoopEnd | null> {
    if (asked.kind === "stopped") return { kind: "stopped" };
    const isShort = this.#isTooLong || this.#conversation.isTaskAlone() || !this.#mayBeTooLong(asked);
    if (isShort) return this.#failed(asked.failure);
    this.#isTooLong = true;
    this.#learnWindow();
    return this.#sumUp();
  }

  /** The model holds less than was thought; a short conversation that was too long tells nothing. */
  #learnWindow(): void {
    const tokens = this.#conversation.tokens();
    if (tokens > this.#window / 2) this.#window = Math.min(this.#window, tokens);
  }

  /** The service says so by its status; a bare refusal of a long conversation may mean the same. */
  #mayBeTooLong(asked: Exclude<Asked, { kind: "answer" | "stopped" }>): boolean {
    if (asked.kind === "too long") return true;
    const { failure } = asked;
    const isBare = failure.reason === "request-refused" && failure.status === 400;
    return isBare && this.#conversation.tokens() > this.#window / 2;
  }

  async #makeRoom(): Promise<LoopEnd | null> {
    const { freedTokens, isFull } = makeRoom(this.#conversation, this.#window);
    if (freedTokens > 0) this.#wanted.line.transcript.record({ event: "cleared", tokens: freedTokens });
    return isFull ? this.#sumUp() : null;
  }

  async #sumUp(): Promise<LoopEnd | null> {
    this.#summaries += 1;
    if (this.#summaries > limits.summaries) {
      return this.#wentNowhere(`its conversation was summed up ${limits.summaries} times`);
    }
    const { line, model } = this.#wanted;
    const asked = await sumUp(line, { conversation: this.#conversation, window: this.#window, model });
    if (asked.kind === "stopped") return { kind: "stopped" };
    if (asked.kind !== "answer") return this.#failed(asked.failure);
    this.#tell(asked.answer, asked.tokens);
    if (asked.answer.stopReason === "refusal") {
      return this.#failed({ reason: "agent-refused", agent: this.#agent, detail: asked.answer.refusal });
    }
    const summary = asked.answer.text.trim();
    if (summary === "") return this.#wentNowhere("its conversation is too long, and it did not sum it up");
    line.transcript.record({ event: "summary", text: summary });
    this.#conversation.replaceBySummary(summary);
    if (!makeRoom(this.#conversation, this.#window).isFull) return null;
    return this.#wentNowhere("its task does not fit into what the model can hold");
  }

  #tell(answer: ModelAnswer, tokens: TokenCount): void {
    const { transcript } = this.#wanted.line;
    const { stopReason, text, blocks } = answer;
    transcript.record({ event: "answer", stopReason, tokens, blocks });
    transcript.say(text);
  }

  get #agent(): string {
    return this.#wanted.request.agentKey;
  }

  #wentNowhere(how: string): LoopEnd {
    return this.#failed({ reason: "agent-went-nowhere", agent: this.#agent, how });
  }

  #failed(failure: Failure): LoopEnd {
    return { kind: "failed", failure };
  }
}

const answersLeftTold = 5;
