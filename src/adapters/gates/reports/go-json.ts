// `go test -json`: one event a line. Lines that are no events (of the build, before Go 1.24) may stand between them.
// https://pkg.go.dev/cmd/test2json

import type { ParsedTest, ParsedTests } from "./results.ts";

type Status = ParsedTest["status"] | "running";

const endings: ReadonlyMap<string, Status> = new Map([
  ["run", "running"],
  ["pass", "passed"],
  ["fail", "failed"],
  ["skip", "skipped"],
]);

/** null: no such report. */
export function parseGoJson(lines: readonly string[]): ParsedTests | null {
  const packages = new Map<string, PackageRead>();
  for (const line of lines) takeLine(line, packages);
  if (packages.size === 0) return null;
  const tests = [...packages].flatMap(([name, read]) => testsOf(name, read));
  const count = (wanted: ParsedTest["status"]) => tests.filter(({ status }) => status === wanted).length;
  const isOpen = [...packages.values()].some(({ hasEnded }) => !hasEnded);
  return {
    tests,
    passed: count("passed"),
    skipped: count("skipped"),
    failed: 0,
    gap: isOpen ? "the report is cut short" : "",
  };
}

interface PackageRead {
  readonly tests: Map<string, Status>;
  isFailed: boolean;
  hasEnded: boolean;
}

function takeLine(line: string, packages: Map<string, PackageRead>): void {
  if (line.startsWith("FAIL\t")) {
    const broken = /^FAIL\t(\S+)(?: \[(?:build|setup) failed\])?/.exec(line)?.[1];
    if (broken !== undefined && packages.size > 0) endPackage(broken, true, packages);
    return;
  }
  const event = toEvent(line);
  if (event === null) return;
  const status = endings.get(event.action);
  const read = packageOf(event.package, packages);
  if (status === undefined) return;
  // A test that is run several times has failed when it failed once.
  if (event.test !== "" && read.tests.get(event.test) !== "failed") read.tests.set(event.test, status);
  if (event.test === "" && status !== "running") endPackage(event.package, status === "failed", packages);
}

function endPackage(name: string, isFailed: boolean, packages: Map<string, PackageRead>): void {
  const read = packageOf(name, packages);
  read.hasEnded = true;
  read.isFailed ||= isFailed;
}

function packageOf(name: string, packages: Map<string, PackageRead>): PackageRead {
  const known = packages.get(name);
  if (known !== undefined) return known;
  const read: PackageRead = { tests: new Map(), isFailed: false, hasEnded: false };
  packages.set(name, read);
  return read;
}

/** A test that never ended (its package panicked) has not passed. A package that fails without one fails itself. */
function testsOf(name: string, { tests, isFailed }: PackageRead): readonly ParsedTest[] {
  const read = [...tests].map(
    ([test, status]): ParsedTest => ({
      status: status === "running" ? "failed" : status,
      path: [name, test],
    }),
  );
  const needsName = isFailed && !read.some(({ status }) => status === "failed");
  return needsName ? [...read, { status: "failed", path: [name] }] : read;
}

interface GoEvent {
  readonly action: string;
  readonly package: string;
  readonly test: string;
}

function toEvent(line: string): GoEvent | null {
  if (!line.startsWith("{") || !line.includes('"Action":')) return null;
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== "object" || value === null) return null;
    const text = (key: string): string => {
      const member: unknown = Object.hasOwn(value, key) ? Reflect.get(value, key) : "";
      return typeof member === "string" ? member : "";
    };
    const event = { action: text("Action"), package: text("Package"), test: text("Test") };
    return event.action === "" || event.package === "" ? null : event;
  } catch {
    return null;
  }
}
