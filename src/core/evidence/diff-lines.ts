// What lines were added and removed between two texts: by common ends and lines that are unique in both ("patience").
//
// Not minimal, and linear for each level, of which there are few: the texts may be made to be hard to compare. It is
// ours, and not read from git's patch, because attributes of a repository shape a patch (`*.snap -diff`).

import type { Line } from "./changed-file.ts";
import { splitLines } from "./lines.ts";

export interface LineDiff {
  readonly added: readonly Line[];
  readonly removed: readonly Line[];
}

export function diffLines(before: string, after: string): LineDiff {
  const old = splitLines(before);
  const now = splitLines(after);
  const added: Line[] = [];
  const removed: Line[] = [];
  const todo: Part[] = [{ oldFrom: 0, oldTo: old.length, nowFrom: 0, nowTo: now.length, depth: 0 }];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const part = trim(next, old, now);
    const anchors = isOneSided(part) || part.depth >= maxDepth ? [] : findAnchors(part, old, now);
    if (anchors.length > 0) {
      // The first part is worked on first, so that lines stay in order.
      for (const inner of between(part, anchors).reverse()) todo.push(inner);
      continue;
    }
    for (let at = part.oldFrom; at < part.oldTo; at++) removed.push({ line: at + 1, text: String(old[at]) });
    for (let at = part.nowFrom; at < part.nowTo; at++) added.push({ line: at + 1, text: String(now[at]) });
  }
  return { added, removed };
}

const maxDepth = 16;

interface Part {
  readonly oldFrom: number;
  readonly oldTo: number;
  readonly nowFrom: number;
  readonly nowTo: number;
  readonly depth: number;
}

/** A line that both have once: its places. */
interface Anchor {
  readonly old: number;
  readonly now: number;
}

function isOneSided(part: Part): boolean {
  return part.oldFrom === part.oldTo || part.nowFrom === part.nowTo;
}

/** Without what both begin and end with. */
function trim(part: Part, old: readonly string[], now: readonly string[]): Part {
  let { oldFrom, oldTo, nowFrom, nowTo } = part;
  while (oldFrom < oldTo && nowFrom < nowTo && old[oldFrom] === now[nowFrom]) {
    oldFrom += 1;
    nowFrom += 1;
  }
  while (oldFrom < oldTo && nowFrom < nowTo && old[oldTo - 1] === now[nowTo - 1]) {
    oldTo -= 1;
    nowTo -= 1;
  }
  return { oldFrom, oldTo, nowFrom, nowTo, depth: part.depth };
}

function findAnchors(part: Part, old: readonly string[], now: readonly string[]): Anchor[] {
  const inOld = uniqueLines(old, part.oldFrom, part.oldTo);
  const inNow = uniqueLines(now, part.nowFrom, part.nowTo);
  const anchors: Anchor[] = [];
  for (const [text, place] of inOld) {
    const nowPlace = inNow.get(text);
    if (nowPlace !== undefined) anchors.push({ old: place, now: nowPlace });
  }
  return longestRising(anchors);
}

/** In the order of the lines. */
function uniqueLines(lines: readonly string[], from: number, to: number): Map<string, number> {
  const places = new Map<string, number>();
  const repeated = new Set<string>();
  for (let at = from; at < to; at++) {
    const text = String(lines[at]);
    if (places.has(text)) repeated.add(text);
    places.set(text, at);
  }
  for (const text of repeated) places.delete(text);
  return places;
}

/** The longest run of anchors that is in order in both texts. */
function longestRising(anchors: readonly Anchor[]): Anchor[] {
  const ends: { anchor: Anchor; before: number }[] = [];
  const chain: number[] = [];
  for (const anchor of anchors) {
    let low = 0;
    let high = chain.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (Number(ends[Number(chain[middle])]?.anchor.now) < anchor.now) low = middle + 1;
      else high = middle;
    }
    ends.push({ anchor, before: chain[low - 1] ?? -1 });
    chain[low] = ends.length - 1;
  }
  const rising: Anchor[] = [];
  let end = ends[chain.at(-1) ?? -1];
  while (end !== undefined) {
    rising.push(end.anchor);
    end = ends[end.before];
  }
  return rising.reverse();
}

function between(part: Part, anchors: readonly Anchor[]): Part[] {
  const depth = part.depth + 1;
  let { oldFrom, nowFrom } = part;
  const parts: Part[] = [];
  for (const { old, now } of [...anchors, { old: part.oldTo, now: part.nowTo }]) {
    parts.push({ oldFrom, oldTo: old, nowFrom, nowTo: now, depth });
    oldFrom = old + 1;
    nowFrom = now + 1;
  }
  return parts;
}
