// Notices a model that makes the same calls with the same results over and over.

import { createHash } from "node:crypto";
import type { ToolAnswer } from "./tool.ts";

export interface Repeats {
  /** How often in a row this call has had this result, this time counted. */
  ofCall(call: { name: string; input: unknown }, answer: ToolAnswer): number;
  /** The same for all calls of one answer of the model together. */
  ofTurn(): number;
}

export function createRepeats(): Repeats {
  const calls = countInARow();
  const turns = countInARow();
  let turn: string[] = [];
  return {
    ofCall: ({ name, input }, { ok, text }) => {
      const mark = toMark(JSON.stringify([name, input, ok, text]));
      turn.push(mark);
      return calls(mark);
    },
    ofTurn: () => {
      const mark = turn.join(" ");
      turn = [];
      return mark === "" ? 0 : turns(mark);
    },
  };
}

function countInARow(): (mark: string) => number {
  let last = "";
  let times = 0;
  return (mark) => {
    times = mark === last ? times + 1 : 1;
    last = mark;
    return times;
  };
}

function toMark(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
