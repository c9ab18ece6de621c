// Taking secrets out of a text that comes in pieces: what comes out is the same however it was cut. Held back is
// only what more text could make a secret: mostly nothing, at the end of a line hardly ever anything.

import type { Finder } from "./finder.ts";

export interface TextStream {
  /** What is decided now. */
  take(piece: string): string;
  /** The rest. */
  end(): string;
}

/** One finder after the other. */
export function openTextStream(finders: readonly Finder[]): TextStream {
  const stages = finders.map(openStage);
  return {
    take: (piece) => stages.reduce((text, stage) => (text === "" ? text : stage.take(text)), piece),
    end: () => stages.reduce((text, stage) => stage.take(text) + stage.end(), ""),
  };
}

const patienceChars = 256;

function openStage(finder: Finder): TextStream {
  /** Text that is out already, as far as it decides what follows. */
  let context = "";
  let held = "";
  /** Pieces that are not looked at yet. */
  let fresh = "";
  function advance(isEnd: boolean): string {
    const text = context + held + fresh;
    fresh = "";
    let from = context.length;
    let open = -1;
    let out = "";
    for (;;) {
      if (open < from) open = isEnd ? text.length : finder.firstOpen(text, from);
      const found = finder.find(text, from);
      if (found === null || found.start >= open) break;
      out += text.slice(from, found.start) + found.mark;
      from = found.end;
    }
    out += text.slice(from, open);
    context = text.slice(Math.max(0, open - finder.contextChars), open);
    held = text.slice(open);
    return out;
  }
  return {
    take: (piece) => {
      fresh += piece;
      // A long text that is held is not looked through again for every few characters.
      return fresh.length < held.length / 4 - patienceChars ? "" : advance(false);
    },
    end: () => advance(true),
  };
}
