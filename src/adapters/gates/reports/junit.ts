// JUnit XML as vitest, pytest, node:test, jest-junit, Maven and others write it. There is no standard; what they have
// in common: suites in suites, test cases in them, and in these `failure`, `error` or `skipped`.
// https://github.com/testmoapp/junitxml

import { countStatus, type ParsedTest, type ParsedTests } from "./results.ts";
import { readXml, type XmlPart } from "./xml.ts";

type Opening = Extract<XmlPart, { kind: "open" }>;

interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  isFailed: boolean;
  isSkipped: boolean;
}

const maxDepth = 100;
const suiteNames = new Set(["testsuites", "testsuite"]);

/** null: no such report. */
export function parseJunit(text: string): ParsedTests | null {
  const start = /<testsuites?[\s>/]/.exec(text)?.index;
  if (start === undefined || hasDocumentType(text, start)) return null;
  const reader = new JunitReader();
  for (const part of readXml(text, start)) {
    if (!reader.take(part)) break;
  }
  return reader.end();
}

function hasDocumentType(text: string, end: number): boolean {
  return text.slice(0, end).includes("<!DOCTYPE");
}

class JunitReader {
  readonly #tests: ParsedTest[] = [];
  readonly #open: Element[] = [];
  /** Elements that say that something failed. */
  #failures = 0;
  /** What the outermost suites say of that. */
  #declared = 0;
  #gap = "";

  /** false: there is nothing more to read. */
  take(part: XmlPart): boolean {
    if (part.kind === "broken") return this.#stop("the report is cut short or no XML");
    if (part.kind === "close") return this.#close(part.name);
    if (this.#open.length === 0 && !suiteNames.has(part.name)) return this.#stop("");
    if (this.#open.length >= maxDepth) return this.#stop("the report is nested too deeply");
    this.#takeOpening(part);
    return part.isEmpty ? this.#close(part.name) : true;
  }

  end(): ParsedTests {
    if (this.#open.length > 0) this.#gap ||= "the report is cut short";
    if (this.#declared > this.#failures) {
      this.#gap ||= `the report counts ${this.#declared} failures and lists ${this.#failures}`;
    }
    return {
      tests: this.#tests,
      passed: countStatus(this.#tests, "passed"),
      skipped: countStatus(this.#tests, "skipped"),
      failed: 0,
      gap: this.#gap,
    };
  }

  #takeOpening({ name, attributes }: Opening): void {
    const parent = this.#open.at(-1);
    const isIn = (outer: string) => parent?.name === outer;
    if (isIn("testcase") || isIn("testsuite")) {
      if (name === "failure" || name === "error") this.#fail(parent);
      if (name === "skipped" && parent !== undefined) parent.isSkipped = true;
    }
    if (name === "testsuite" && !isIn("testsuite")) this.#declared += declaredFailures(attributes);
    this.#open.push({ name, attributes, isFailed: false, isSkipped: isNotRun(attributes) });
  }

  #fail(element: Element | undefined): void {
    if (element !== undefined) element.isFailed = true;
    this.#failures += 1;
  }

  #close(name: string): boolean {
    const element = this.#open.at(-1);
    if (element === undefined || element.name !== name) return this.#stop("the report is no XML");
    if (name === "testcase") this.#tests.push({ status: statusOf(element), path: this.#path() });
    if (name === "testsuite" && element.isFailed) this.#tests.push({ status: "failed", path: this.#path() });
    this.#open.pop();
    return true;
  }

  #stop(gap: string): boolean {
    this.#gap ||= gap;
    return false;
  }

  #path(): readonly string[] {
    const attributeOf = (element: Element, key: string) => element.attributes.get(key) ?? "";
    const suites = this.#open
      .filter(({ name }) => name === "testsuite")
      .map((suite) => attributeOf(suite, "name"));
    const file =
      this.#open.map((element) => attributeOf(element, "file")).findLast((each) => each !== "") ?? "";
    const test = this.#open.at(-1);
    if (test?.name !== "testcase") return [file, ...suites];
    const inClass = attributeOf(test, "classname");
    return [file, ...suites, inClass === suites.join(".") ? "" : inClass, attributeOf(test, "name")];
  }
}

// A test that is to be done has both, in the report of node:test: it may fail.
function statusOf({ isFailed, isSkipped }: Element): ParsedTest["status"] {
  if (isSkipped) return "skipped";
  return isFailed ? "failed" : "passed";
}

function isNotRun(attributes: ReadonlyMap<string, string>): boolean {
  return attributes.get("status") === "notrun";
}

function declaredFailures(attributes: ReadonlyMap<string, string>): number {
  const count = (key: string) => {
    const text = attributes.get(key) ?? "";
    return /^\d{1,9}$/.test(text) ? Number(text) : 0;
  };
  return count("failures") + count("errors");
}
