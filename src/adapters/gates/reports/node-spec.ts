// What node:test prints for people (`--test-reporter=spec`): a tree of results, a summary, and the failing tests again
// with their files. A failing test is named by its file from the end and its suites from the tree; both tell the same
// line of it, with the time it took.

import type { ParsedTest, ParsedTests } from "./results.ts";

const heading = "✖ failing tests:";

/** null: no such output. */
export function parseNodeSpec(lines: readonly string[]): ParsedTests | null {
  const summary = readSummary(lines);
  const fail = summary.get("fail");
  if (fail === undefined || !summary.has("pass")) return null;
  const failed = fail + (summary.get("cancelled") ?? 0);
  const tree = new Tree();
  const listed: ParsedTest[] = [];
  let isAtEnd = false;
  let file = "";
  for (const line of lines) {
    if (line === heading) isAtEnd = true;
    else if (!isAtEnd) tree.take(line);
    else if (line.startsWith("test at ")) file = toFile(line);
    else if (line.startsWith("✖ ") && file !== "") {
      const path = tree.list(line.slice(2));
      if (path !== null) listed.push({ status: "failed", path: [file, ...path] });
      file = "";
    }
  }
  return {
    tests: listed,
    passed: summary.get("pass") ?? 0,
    skipped: (summary.get("skipped") ?? 0) + (summary.get("todo") ?? 0),
    failed: 0,
    counted: failed,
    gap: tree.isListed(failed) ? "" : "its list of failing tests does not fit its summary",
  };
}

function readSummary(lines: readonly string[]): ReadonlyMap<string, number> {
  const summary = new Map<string, number>();
  for (const line of lines) {
    const [, name, count] = /^ℹ (pass|fail|cancelled|skipped|todo) (\d{1,9})$/.exec(line.trimEnd()) ?? [];
    if (name !== undefined) summary.set(name, (summary.get(name) ?? 0) + Number(count));
  }
  return summary;
}

/** `test at test/a.test.js:10:3` */
function toFile(line: string): string {
  return line
    .slice("test at ".length)
    .trimEnd()
    .replace(/(?::\d+){1,2}$/, "");
}

const maxDepth = 50;

interface Failure {
  readonly path: readonly string[];
  /** Nothing within it failed. */
  readonly isInmost: boolean;
}

/** The failures of the tree, by what is told of each: title and time. */
class Tree {
  #suites: string[] = [];
  readonly #told = new Map<string, { readonly failures: Failure[]; listed: number }>();
  /** Depth of the failure before: a less deep one after it is of the suite around it. */
  #failedDepth = -1;
  #failures = 0;
  #inmost = 0;
  #hasStranger = false;

  take(line: string): void {
    const found = /^((?: {2})*)(▶|✖|✔|﹣|⚠) (.+)$/.exec(line);
    if (found === null) return;
    const [, indent = "", sign, told = ""] = found;
    const depth = Math.min(indent.length / 2, maxDepth);
    this.#suites = this.#suites.slice(0, depth);
    if (sign === "▶") this.#suites[depth] = toTitle(told);
    else if (sign === "✖" && !isTodo(told)) this.#fail(told.trimEnd(), depth);
  }

  /** The way to a test that is told again at the end; null: it is to be done and may fail, or was not told before. */
  list(line: string): readonly string[] | null {
    if (isTodo(line)) return null;
    const known = this.#told.get(line.trimEnd());
    const failure = known?.failures[known.listed];
    if (known === undefined || failure === undefined) {
      this.#hasStranger = true;
      return null;
    }
    known.listed += 1;
    return failure.path;
  }

  /** Whether everything that failed was told again, and agrees with the summary, which counts tests and no suites. */
  isListed(counted: number): boolean {
    const isMissing = [...this.#told.values()].some(({ failures, listed }) =>
      failures.slice(listed).some(({ isInmost }) => isInmost),
    );
    return !this.#hasStranger && !isMissing && this.#inmost <= counted && counted <= this.#failures;
  }

  #fail(told: string, depth: number): void {
    const isInmost = this.#failedDepth <= depth;
    this.#failedDepth = depth;
    this.#failures += 1;
    if (isInmost) this.#inmost += 1;
    const path = [...Array.from({ length: depth }, (_, at) => this.#suites[at] ?? ""), toTitle(told)];
    const known = this.#told.get(told);
    if (known === undefined) this.#told.set(told, { failures: [{ path, isInmost }], listed: 0 });
    else known.failures.push({ path, isInmost });
  }
}

const duration = / \([\d.]+m?s\)(?: # .*)?$/;

function toTitle(told: string): string {
  return told.trimEnd().replace(duration, "");
}

/** Up to Node 20 these have the sign of a failure. */
function isTodo(told: string): boolean {
  return / \([\d.]+m?s\) # /.test(told);
}
