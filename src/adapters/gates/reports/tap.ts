// TAP, versions 12 to 14, with subtests, also as node:test, node-tap, tape, mocha and vitest write it. What else is
// printed between its lines is passed over.
// https://testanything.org/tap-version-14-specification.html

import type { ParsedTests } from "./results.ts";
import { readTapLine, type TapLine, type TapPoint } from "./tap-line.ts";
import { readTapTests } from "./tap-tests.ts";

/** One stream of points: a whole document, or what is in a subtest. */
interface Level {
  readonly points: TapPoint[];
  plan: number | null;
  /** The point whose subtests these are, where it comes before them, as in `ok 1 - name {`. */
  readonly owner: TapPoint | null;
}

const maxDepth = 50;
const withoutPlan = "the report has no plan: it may be cut short";
const indentOfLevel = 4;

/** null: no TAP. */
export function parseTap(lines: readonly string[]): ParsedTests | null {
  const reader = new TapReader();
  for (const line of lines) reader.take(line);
  return reader.end();
}

class TapReader {
  readonly #points: TapPoint[] = [];
  readonly #summary = new Map<string, number>();
  #levels: Level[] = [newLevel(null)];
  #isTap = false;
  #gap = "";
  /** The point that a block of YAML would belong to. */
  #last: TapPoint | null = null;
  #yamlIndent: number | null = null;

  take(text: string): void {
    const trimmed = text.trimStart();
    const indent = text.length - trimmed.length;
    if (this.#yamlIndent !== null) {
      this.#takeYaml(trimmed.trimEnd(), indent);
      return;
    }
    if (trimmed.trimEnd() === "---" && this.#last !== null && indent > this.#last.indent) {
      this.#yamlIndent = indent;
      return;
    }
    this.#last = null;
    const depth = indent / indentOfLevel;
    if (Number.isInteger(depth) && depth < this.#levels.length) this.#takeLine(readTapLine(trimmed), depth);
  }

  end(): ParsedTests | null {
    if (this.#yamlIndent !== null) this.#note("the report is cut short");
    this.#endDocument();
    if (!this.#isTap) return null;
    return readTapTests(this.#points, { summary: this.#summary, gap: this.#gap });
  }

  #takeYaml(line: string, indent: number): void {
    if (indent === this.#yamlIndent && line === "...") {
      this.#yamlIndent = null;
      return;
    }
    if (indent !== this.#yamlIndent || this.#last === null) return;
    const [, key, value = ""] = /^(location|failureType): '?(.*?)'?$/.exec(line) ?? [];
    if (key === "location") this.#last.file = value.replace(/(?::\d+){1,2}$/, "");
    if (key === "failureType") this.#last.failureType = value;
  }

  #takeLine(line: TapLine, depth: number): void {
    switch (line.kind) {
      case "version":
        if (depth === 0 && this.#at(0).points.length > 0) this.#endDocument();
        if (depth === 0) this.#isTap = true;
        return;
      case "plan":
        this.#at(depth).plan = line.count;
        return;
      case "subtest":
        this.#keep(this.#closeBelow(depth), depth);
        this.#open(null);
        return;
      case "point":
        this.#takePoint({ ...line.point, indent: depth * indentOfLevel }, depth);
        return;
      case "end of block":
        if (this.#levels[depth + 1]?.owner) this.#closeBelow(depth, true);
        return;
      case "count":
        if (depth === 0) this.#summary.set(line.name, (this.#summary.get(line.name) ?? 0) + line.count);
        return;
      case "bail out":
        this.#note("the tests bailed out");
        return;
      case "other":
        return;
    }
  }

  #takePoint(point: TapPoint, depth: number): void {
    const children = this.#closeBelow(depth);
    const whole: TapPoint = { ...point, children };
    this.#at(depth).points.push(whole);
    this.#last = whole;
    if (point.opensBlock) this.#open(whole);
  }

  #open(owner: TapPoint | null): void {
    if (this.#levels.length < maxDepth) this.#levels.push(newLevel(owner));
    else this.#note("the report is nested too deeply");
  }

  /** The points of the level below `depth`, unless they have their owner already. */
  #closeBelow(depth: number, isEndOfBlock = false): TapPoint[] {
    let children: TapPoint[] = [];
    while (this.#levels.length > depth + 1) {
      const level = this.#levels.pop();
      if (level === undefined) break;
      this.#checkPlan(level);
      // What is below this level had no point of its own here: kept, so that no failure is lost.
      children = level.points.concat(children);
      if (level.owner === null) continue;
      if (!isEndOfBlock || this.#levels.length > depth + 1) this.#note("the report is cut short");
      for (const child of children) level.owner.children.push(child);
      children = [];
    }
    return children;
  }

  #endDocument(): void {
    this.#keep(this.#closeBelow(0), 0);
    const level = this.#at(0);
    if (this.#isTap && level.plan === null) this.#note(withoutPlan);
    this.#checkPlan(level);
    if (level.plan !== null && level.points.length > 0) this.#isTap = true;
    for (const point of level.points) this.#points.push(point);
    this.#levels = [newLevel(null)];
  }

  /** Points of subtests whose own point never came. */
  #keep(orphans: readonly TapPoint[], depth: number): void {
    if (orphans.length > 0) this.#note("the report is cut short");
    for (const orphan of orphans) this.#at(depth).points.push(orphan);
  }

  #checkPlan(level: Level): void {
    if (level.points.length === 0 && (level.plan ?? 0) === 0) return;
    if (level.plan === null) this.#note(withoutPlan);
    else if (level.plan !== level.points.length) {
      this.#note(`the report plans ${level.plan} tests and has ${level.points.length}`);
    }
  }

  #at(depth: number): Level {
    return this.#levels[depth] ?? newLevel(null);
  }

  #note(gap: string): void {
    this.#gap ||= gap;
  }
}

function newLevel(owner: TapPoint | null): Level {
  return { points: [], plan: null, owner };
}
