// The report out of an agent's final message: the whole text, else its last block of JSON, else its last object.

import { limits } from "../../core/limits.ts";

/** undefined: there is no JSON object in it. */
export function reportInText(text: string): unknown {
  const end = text.slice(-limits.reportBytes); // what is longer could not be used
  return asObject(text) ?? lastBlock(end) ?? lastObject(end);
}

/** Of a message that is a report and nothing else: one that quotes a report in its words does not give it. */
export function reportAsText(text: string): unknown {
  if (text.length > limits.reportBytes) return undefined;
  const block = /^\s*```(?:json)?[ \t]*\r?\n([\s\S]*?)\r?\n[ \t]*```\s*$/i.exec(text);
  return asObject(block?.[1] ?? text);
}

function asObject(text: string): unknown {
  if (!text.trimStart().startsWith("{")) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// Each that is no JSON costs a walk through it, and an error.
const maxBlocks = 50;

function lastBlock(text: string): unknown {
  const blocks = text.split(/^[ \t]*```/m).filter((block) => /^json[c5]?[ \t]*\r?\n/i.test(block));
  for (const block of blocks.slice(-maxBlocks).reverse()) {
    const found = asObject(block.replace(/^.*\n/, ""));
    if (found !== undefined) return found;
  }
  return undefined;
}

// Braces in prose that nothing closes: each costs a walk to the end.
const maxUnclosed = 50;

function lastObject(text: string): unknown {
  let found: unknown;
  let unclosed = 0;
  for (let start = text.indexOf("{"); start >= 0 && unclosed < maxUnclosed; ) {
    const end = closingOf(text, start);
    if (end === null) unclosed += 1;
    else found = asObject(text.slice(start, end)) ?? found;
    start = text.indexOf("{", end ?? start + 1);
  }
  return found;
}

/** Behind the brace that closes the one at `start`, braces in texts of JSON left out; null: there is none. */
function closingOf(text: string, start: number): number | null {
  let depth = 0;
  let isText = false;
  for (let at = start; at < text.length; at += 1) {
    const sign = text[at];
    if (isText && sign === "\\") at += 1;
    else if (sign === '"') isText = !isText;
    else if (isText) continue;
    else if (sign === "{") depth += 1;
    else if (sign === "}") depth -= 1;
    if (depth === 0) return at + 1;
  }
  return null;
}
