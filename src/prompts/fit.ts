// Fills a template so that the result keeps within a bound (I11): its parts come in the order of their importance, and
// the last ones are cut first, between two of their items. Where something was cut, the prompt says so and names the
// place in the request that has the whole.

import { assert } from "../core/result.ts";
import { renderTemplate } from "./render.ts";

/** A piece of a prompt that may have to be cut. */
export interface Part {
  /** Its placeholder in the template. */
  readonly name: string;
  readonly items: readonly string[];
  /** The text of the items that are kept; called with none only when there are none. */
  readonly show: (items: readonly string[]) => string;
  /** The field of the request that holds all of it. */
  readonly whole: string;
}

export interface Fitting {
  readonly template: string;
  readonly values: Readonly<Record<string, string>>;
  /** The most important first. */
  readonly parts: readonly Part[];
  readonly maxChars: number;
}

const chunkChars = 2_000;

export function fitTemplate({ template, values, parts, maxChars }: Fitting): string {
  const least = parts.map((part) => ({ part, text: leastText(part) }));
  const shown = new Map(least.map(({ part, text }) => [part.name, text]));
  const render = () => renderTemplate(template, { ...values, ...Object.fromEntries(shown) });
  let room = maxChars - render().length;
  assert(room >= 0, `a prompt of ${maxChars} characters has room for its template`);
  for (const { part, text } of least) {
    const best = bestText(part, text.length + room);
    shown.set(part.name, best);
    room -= best.length - text.length;
  }
  const prompt = render();
  assert(prompt.length <= maxChars, "each part stands once in its template");
  return prompt;
}

/** A text as items that can be cut anywhere between two of them. */
export function toChunks(text: string): readonly string[] {
  const chunks: string[] = [];
  for (let from = 0; from < text.length; ) {
    let to = from + chunkChars;
    if (isHighSurrogate(text.charCodeAt(to - 1))) to -= 1; // a character is never cut in two
    chunks.push(text.slice(from, to));
    from = to;
  }
  return chunks;
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

/** What a part is reduced to when there is no room for it. */
function leastText(part: Part): string {
  if (part.items.length === 0) return "";
  const notice = textOf(part, 0);
  const all = textOf(part, part.items.length);
  return all.length <= notice.length ? all : notice;
}

/** As many items as fit, found by halving: the text grows with each item. */
function bestText(part: Part, room: number): string {
  const all = textOf(part, part.items.length);
  if (all.length <= room) return all;
  let fitting = 0;
  let tooMany = part.items.length;
  while (tooMany - fitting > 1) {
    const middle = Math.floor((fitting + tooMany) / 2);
    if (textOf(part, middle).length <= room) fitting = middle;
    else tooMany = middle;
  }
  return textOf(part, fitting);
}

function textOf(part: Part, count: number): string {
  const { items, show, whole } = part;
  if (count === items.length) return count === 0 ? "" : show(items);
  const notice = `[Cut here to keep the prompt within its limit. All of it is in \`${whole}\` of the request.]`;
  return count === 0 ? notice : `${show(items.slice(0, count))}\n\n${notice}`;
}
