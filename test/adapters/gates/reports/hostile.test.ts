// Reports that somebody made to harm: huge, deep, cut, lying, half characters. They are read in time, and what
// cannot be trusted is not called named.
import { expect, test } from "vitest";
import type { ReportFormat } from "../../../../src/adapters/gates/reports/read.ts";
import { timed } from "../../../support/processor-time.ts";
import { fixture, read } from "./reading.ts";

const tenMegabytes = 10 * 1024 * 1024;
const huge = (text: string) => text.repeat(Math.ceil(tenMegabytes / text.length));

const attacks: readonly [string, () => string | Buffer][] = [
  ["one line of 10 MB", () => huge("x")],
  ["10 MB of line breaks", () => huge("\n")],
  ["10 MB of short lines", () => huge("ok\n").slice(0, 1_400_000)],
  ["10 MB of NULs", () => Buffer.alloc(tenMegabytes)],
  ["10 MB of escapes", () => huge("\u001b[")],
  ["10 MB of half characters", () => Buffer.alloc(tenMegabytes, 0xf0)],
  ["10 MB of braces", () => huge("{\n")],
  ["a deep JSON with the words of a report", () => `{"testResults":${"[".repeat(tenMegabytes)}`],
  ["many beginnings of a report", () => huge('{"testResults":[\n')],
  ["a deep XML", () => `<testsuites>${huge("<testsuite>")}`],
  ["an XML tag without an end", () => `<testsuites><testsuite ${huge('a="1" ')}`],
  ["an XML attribute without an end", () => `<testsuites><testsuite a="${huge("b")}`],
  ["10 MB of spaces in a tag", () => `<testsuites ${huge(" ")}`],
  ["an XML comment without an end", () => `<testsuites><!--${huge("-")}`],
  ["entities", () => `<testsuites name="${huge("&amp;&")}">`],
  [
    "deep TAP",
    () =>
      `TAP version 14\n${Array.from({ length: 3_000 }, (_, n) => `${" ".repeat(4 * n)}# Subtest: a`).join("\n")}`,
  ],
  ["TAP blocks without an end", () => `TAP version 14\n${huge("ok 1 - a {\n")}`.slice(0, 4_000_000)],
  [
    "TAP with many subtests",
    () => `TAP version 14\n1..1\n${"    not ok 1\n".repeat(200_000)}not ok 1 - all\n`,
  ],
  [
    "numbers beyond all bounds",
    () => `TAP version 13\n1..${"9".repeat(400)}\nTests: ${"9".repeat(300)} failed, 1 total\n`,
  ],
  ["spec that fails 300,000 times alike", () => `${"✖ a\n".repeat(300_000)}ℹ pass 0\nℹ fail 300000\n`],
  ["lines of spaces", () => `${" ".repeat(3_999)}\n`.repeat(1_000)],
  ["lines that almost are summaries", () => `${"1 failed ".repeat(400)}\n`.repeat(1_000)],
  [
    "lines that almost are names",
    () =>
      `FAILED ${"[ - ".repeat(900)}\nSUBFAILED${" a:".repeat(1_200)}\ntest ${"... ".repeat(900)}\n`.repeat(
        200,
      ),
  ],
];

test.each(attacks)("%s is read within bounds", (_what, make) => {
  const text = make();
  const { value: results, ms } = timed(() => read(text, "auto")); // in every format
  expect(ms).toBeLessThan(15_000);
  if (results?.isNamed) expect(results.failed).toHaveLength(results.failedCount);
});

test("an XML that defines entities is not read, wherever it says so", () => {
  const bomb = '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>';
  const report = '<testsuites><testcase name="&b;"><failure/></testcase></testsuites>';
  expect(read(`<?xml version="1.0"?>${bomb}${report}`, "junit")).toBeNull();
  expect(read(report.replace("<testcase", `${bomb}<testcase`), "junit")?.isNamed).toBe(false);
  expect(read(report, "junit")?.failed).toEqual(["&b;"]);
});

test.each<[string, string, ReportFormat]>([
  ["TAP whose plan counts more", "TAP version 13\nnot ok 1 - a\n1..2\n", "tap"],
  ["TAP without a plan", "TAP version 13\nnot ok 1 - a\n", "tap"],
  ["TAP that bailed out", "TAP version 13\n1..1\nnot ok 1 - a\nBail out! no database\n", "tap"],
  [
    "TAP whose summary counts more",
    "TAP version 13\n1..2\nok 1 - a\nnot ok 2 - b\n# pass 0\n# fail 2\n",
    "tap",
  ],
  ["TAP whose subtests are cut", "TAP version 13\n# Subtest: a\n    not ok 1 - b\nok 1 - c\n1..1\n", "tap"],
  [
    "a spec whose summary counts more",
    "✖ a (1ms)\nℹ pass 1\nℹ fail 2\n✖ failing tests:\ntest at a.js:1:1\n✖ a (1ms)\n",
    "node",
  ],
  [
    "a spec that lists less",
    "✖ a (1ms)\n✖ b (1ms)\nℹ pass 1\nℹ fail 2\n✖ failing tests:\ntest at a.js:1:1\n✖ a (1ms)\n",
    "node",
  ],
  [
    "JUnit whose suite counts more",
    '<testsuite failures="2"><testcase name="a"><failure/></testcase></testsuite>',
    "junit",
  ],
  ["JUnit that is cut", '<testsuite><testcase name="a"><failure/></testcase>', "junit"],
  [
    "JSON that counts more",
    fixture("jest.json").replace('"numFailedTests":4', '"numFailedTests":5'),
    "jest-json",
  ],
  [
    "JSON of an interrupted run",
    fixture("jest.json").replace('"wasInterrupted":false', '"wasInterrupted":true'),
    "jest-json",
  ],
  [
    "JSON of a run that stopped early",
    fixture("jest.json").replace('"numTotalTestSuites":3', '"numTotalTestSuites":4'),
    "jest-json",
  ],
  [
    "JSON with a status that nobody knows",
    fixture("jest.json").replace('"status":"pending"', '"status":"maybe"'),
    "jest-json",
  ],
  ["events of go without the end of a package", '{"Action":"fail","Package":"p","Test":"T"}', "go-json"],
  [
    "jest with a title twice",
    "FAIL a.test.js\n  ● a\n  ● a\nTest Suites: 1 failed, 1 total\nTests: 2 failed, 2 total\n",
    "auto",
  ],
  [
    "jest below its coverage",
    'FAIL a.test.js\n  ● a\nTest Suites: 1 failed, 1 total\nTests: 1 failed, 1 total\nJest: "global" coverage threshold for lines (80%) not met: 3%\n',
    "auto",
  ],
  ["vitest that prints no names", "      Tests  2 failed | 3 passed (5)\n", "auto"],
  ["mocha that prints no names", "  3 passing (1ms)\n  1 failing\n", "auto"],
  ["pytest that prints no names", "==== 1 failed, 2 passed in 0.10s ====\n", "auto"],
  ["cargo that prints no names", "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured\n", "auto"],
])("%s does not name its failures", (_what, text, format) => {
  const results = read(text, format);
  expect(results).toMatchObject({ isNamed: false });
  expect(results?.gap).not.toBe("");
  expect(results?.failedCount).toBeGreaterThan(0);
});

test("what is no XML is not whole", () => {
  const text = '<testsuite><testcase name="a"><failure/></testsuite></testcase>';
  expect(read(text, "junit")).toMatchObject({ isNamed: false, gap: "the report is no XML" });
});

test("what tests print does not become a result", () => {
  const printed = "  # not ok 7 - x\n  not ok 8 - y\n# not ok 9 - z\n";
  const block = "  ---\n  error: |\n    not ok 5 - in the message\n    ...\n  ...\n";
  const text = `TAP version 13\n${printed}not ok 1 - a\n${block}${printed}1..1\n`;
  expect(read(text, "tap")).toMatchObject({ failed: ["a"], isNamed: true, failedCount: 1 });
});

test("members that every object has are no members of a report", () => {
  expect(
    read('{"testResults":[{"name":1,"assertionResults":{"length":9}}],"numTotalTests":0}'),
  ).toMatchObject({
    failedCount: 0,
  });
  expect(read('{"Action":"constructor","Package":"p","Test":"__proto__"}\n', "go-json")?.failedCount).toBe(0);
});
