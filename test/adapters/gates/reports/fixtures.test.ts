// Reports as real tools wrote them: what failed is named, in the tool's own format and when nobody said which it is.
import { describe, expect, test } from "vitest";
import type { ReportFormat } from "../../../../src/adapters/gates/reports/read.ts";
import { fixture, read } from "./reading.ts";

interface Expected {
  readonly passed: number;
  readonly skipped: number;
  readonly failed: readonly string[];
  /** Why it is not named. */
  readonly gap?: string;
}

const nodeFailures = [
  "a.test.mjs > parent > child fails",
  "a.test.mjs > sums > adds # wrongly \\ here",
  "a.test.mjs > sums > deep > fails deep",
  "b.test.mjs > hooked",
  "b.test.mjs > hooked > never runs",
  "b.test.mjs > same",
  "b.test.mjs > works",
  "c.test.mjs",
];
const cancelled = "b.test.mjs > cancels > left behind";
/** TAP tells the whole title. */
const inTap = (names: readonly string[]) =>
  names.map((name) => (name.endsWith("fails deep") ? `${name}\\nwith a line break` : name));

const vitestFailures = [
  "a.test.ts > hooked",
  "a.test.ts > same",
  "a.test.ts > sums > adds > wrongly",
  "b.test.ts",
  "d.test.ts",
  "d.test.ts > fails",
];

const pytestFailures = [
  "test_a.py::TestX::test_in",
  "test_a.py::test_bad",
  "test_a.py::test_both",
  "test_a.py::test_both (error)",
  "test_a.py::test_fix (error)",
  "test_a.py::test_par[a - b]",
  "test_a.py::test_par[c]]",
  "test_a.py::test_sub",
  "test_a.py::test_sub [m] (i=1)",
];

const cases: readonly [string, ReportFormat, Expected][] = [
  ["node-20-tap.txt", "node", { passed: 5, skipped: 2, failed: inTap([...nodeFailures, cancelled]) }],
  ["node-20-tap.txt", "tap", { passed: 5, skipped: 2, failed: inTap([...nodeFailures, cancelled]) }],
  ["node-20-spec.txt", "node", { passed: 5, skipped: 2, failed: [...nodeFailures, cancelled] }],
  ["node-24-tap.txt", "node", { passed: 7, skipped: 2, failed: inTap(nodeFailures) }],
  ["node-24-spec.txt", "node", { passed: 7, skipped: 2, failed: nodeFailures }],
  [
    "node-24-junit.xml",
    "junit",
    {
      passed: 6,
      skipped: 2,
      failed: [
        "a.test.mjs > parent > child fails",
        "a.test.mjs > sums > adds # wrongly \\ here",
        "a.test.mjs > sums > deep > fails deep with a line break",
        "b.test.mjs > hooked > never runs",
        "b.test.mjs > test > same",
        "b.test.mjs > test > works",
        "c.test.mjs > test > c.test.mjs",
      ],
    },
  ],
  [
    "node-20-junit.xml",
    "junit",
    {
      passed: 5,
      skipped: 2,
      failed: [
        "cancels > test > left behind",
        "hooked > test > never runs",
        "parent > test > child fails",
        "sums > deep > test > fails deepwith a line break",
        "sums > test > adds # wrongly \\ here",
        "test > c.test.mjs",
        "test > same",
        "test > works (2)",
      ],
    },
  ],
  [
    "tap-14.txt",
    "tap",
    { passed: 2, skipped: 2, failed: ["first.test.js > reads", "second.test.js > inner > fails within"] },
  ],
  [
    "mocha-tap.txt",
    "tap",
    {
      passed: 1,
      skipped: 1,
      failed: [
        'hooked "before all" hook for "never runs"',
        "sums adds wrongly:",
        "sums deep fails deep",
        "top level fails",
      ],
    },
  ],
  [
    "mocha-spec.txt",
    "auto",
    {
      passed: 1,
      skipped: 1,
      failed: [
        'hooked > "before all" hook for "never runs"',
        "sums > adds wrongly:",
        "sums > deep > fails deep",
        "top level fails",
      ],
    },
  ],
  [
    "vitest-tap.txt",
    "tap",
    { passed: 4, skipped: 3, failed: vitestFailures.filter((name) => name !== "d.test.ts") },
  ],
  ["vitest-junit.xml", "junit", { passed: 4, skipped: 3, failed: vitestFailures }],
  [
    "vitest.json",
    "vitest-json",
    {
      passed: 4,
      skipped: 3,
      failed: vitestFailures.filter((name) => name !== "a.test.ts > hooked"),
      gap: "a suite failed that the report does not name",
    },
  ],
  [
    "vitest-default.txt",
    "auto",
    { passed: 4, skipped: 3, failed: vitestFailures, gap: "errors outside of any test were not handled" },
  ],
  [
    "jest.json",
    "jest-json",
    {
      passed: 4,
      skipped: 2,
      failed: [
        "a.test.js > hooked > never runs",
        "a.test.js > same",
        "a.test.js > sums > adds › wrongly",
        "b.test.js",
        "d.test.js",
        "d.test.js > fails",
      ],
    },
  ],
  [
    "jest-default.txt",
    "auto",
    {
      passed: 4,
      skipped: 2,
      failed: [
        "a.test.js > hooked › never runs",
        "a.test.js > same",
        "a.test.js > sums › adds › wrongly",
        "b.test.js",
        "d.test.js",
        "d.test.js > fails",
      ],
    },
  ],
  [
    "maven-junit.xml",
    "junit",
    {
      passed: 1,
      skipped: 1,
      failed: ["com.example.SumTest > addsNegative", 'com.example.SumTest > divides "by" zero'],
    },
  ],
  ["pytest.txt", "auto", { passed: 2, skipped: 1, failed: pytestFailures }],
  ["pytest-q.txt", "auto", { passed: 2, skipped: 1, failed: pytestFailures }],
  [
    "pytest-x.txt",
    "auto",
    {
      passed: 1,
      skipped: 0,
      failed: ["test_a.py::test_bad"],
      gap: "pytest stopped before it had run all tests",
    },
  ],
  [
    "pytest-collect.txt",
    "auto",
    {
      passed: 0,
      skipped: 0,
      failed: ["test_b.py (error)"],
      gap: "pytest stopped before it had run all tests",
    },
  ],
  [
    "pytest-junit.xml",
    "junit",
    {
      passed: 2,
      skipped: 2,
      failed: [
        "pytest > test_a > test_bad",
        "pytest > test_a > test_both",
        "pytest > test_a > test_both (2)",
        "pytest > test_a > test_fix",
        "pytest > test_a > test_par[a - b]",
        "pytest > test_a > test_par[c]]",
        "pytest > test_a > test_sub",
        "pytest > test_a.TestX > test_in",
      ],
    },
  ],
  [
    "cargo.txt",
    "auto",
    {
      passed: 1,
      skipped: 1,
      failed: [
        "fails_too",
        "src/lib.rs - two",
        "tests::fails",
        "tests::panics - should panic",
        "tests::works (2)",
      ],
    },
  ],
  [
    "cargo-fail-fast.txt",
    "auto",
    {
      passed: 1,
      skipped: 1,
      failed: ["tests::fails", "tests::panics - should panic"],
      gap: "cargo stops at the first program whose tests fail; give it --no-fail-fast",
    },
  ],
  [
    "go.json.txt",
    "go-json",
    {
      passed: 2,
      skipped: 1,
      failed: [
        "example.com/demo/broken",
        "example.com/demo/panics > TestPanics",
        "example.com/demo/panics > TestWaits",
        "example.com/demo/sums > TestTable",
        "example.com/demo/sums > TestTable/two_and_two",
      ],
    },
  ],
  [
    "go.txt",
    "auto",
    {
      passed: 0,
      skipped: 0,
      failed: [
        "example.com/demo/broken",
        "example.com/demo/sums > TestTable",
        "example.com/demo/sums > TestTable/two_and_two",
      ],
    },
  ],
];

describe.each(cases)("%s", (name, format, { gap = "", ...expected }) => {
  const wanted = { ...expected, failed: [...expected.failed].sort(), isNamed: gap === "", gap };

  test(`read as ${format} names what failed`, () => {
    expect(read(fixture(name), format)).toMatchObject({ ...wanted, failedCount: expected.failed.length });
  });

  test("is found without being told what it is, and between other lines", () => {
    const around = `\n> demo@1.0.0 test\n> run the tests\n\n${fixture(name)}\nnpm error Test failed.\n`;
    expect(read(fixture(name))).toMatchObject(wanted);
    expect(read(around)).toMatchObject(wanted);
  });

  test("has the same names in another folder and after other times", () => {
    const moved = fixture(name)
      .replaceAll("/project/", "/else/where/")
      .replaceAll(
        /(?<=duration_ms:? |"duration":|time="|time=)\d+(?:\.\d+)?|(?<=\()[\d.]+(?=m?s\))/g,
        "7.25",
      );
    expect(read(moved, format, "/else/where")).toMatchObject(wanted);
  });
});

const ofRunners: readonly [string, ReportFormat][] = [
  ["node-20-tap.txt", "tap"],
  ["node-20-spec.txt", "node"],
  ["tap-14.txt", "tap"],
  ["vitest-tap.txt", "tap"],
  ["vitest-junit.xml", "junit"],
  ["maven-junit.xml", "junit"],
  ["vitest.json", "vitest-json"],
  ["jest.json", "jest-json"],
];

test.each(ofRunners)(
  "%s cut off after any line never says that it names all when it does not",
  (name, format) => {
    const lines = fixture(name).trimEnd().split("\n");
    const whole = read(lines.join("\n"), format);
    for (let count = 0; count < lines.length; count += 1) {
      const cut = read(lines.slice(0, count).join("\n"), format);
      if (cut?.isNamed) expect(cut.failed).toEqual(whole?.failed);
    }
  },
);

test.each<[string, ReportFormat]>([
  ["vitest.json", "tap"],
  ["node-20-tap.txt", "junit"],
  ["pytest.txt", "node"],
  ["maven-junit.xml", "jest-json"],
  ["jest-default.txt", "go-json"],
  ["go.txt", "vitest-json"],
])("%s is no report of format %s", (name, format) => {
  expect(read(fixture(name), format)).toBeNull();
});

test("several runners in one output are one report, and each has to name its failures", () => {
  const both = read(`${fixture("node-20-tap.txt")}\n${fixture("pytest-q.txt")}`);
  expect(both).toMatchObject({ passed: 7, failedCount: 18, isNamed: true });
  expect(read(`${fixture("node-20-tap.txt")}\n${fixture("pytest-x.txt")}`)?.isNamed).toBe(false);
});
