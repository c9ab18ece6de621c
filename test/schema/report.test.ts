// What agents write: strict where it is required, blind to the rest, bounded and cleaned.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TaskId } from "../../src/core/ids.ts";
import { limits } from "../../src/core/limits.ts";
import type { AgentStage } from "../../src/core/report.ts";
import { readReport, readUsage, reportSchemas } from "../../src/schema/report.ts";

const taskIds = ["task-1", "task-2"] as TaskId[]; // by their form they are ids

const finding = { severity: "major", problem: "p", fix: "f" };
const risk = {
  name: "n",
  category: "c",
  severity: "minor",
  problem: "p",
  mitigation: "m",
  verification: "v",
};
const followUp = { title: "t", description: "d", acceptanceCriteria: ["c"] };

/** The smallest report of each stage. */
const smallest = {
  develop: { summary: "did it" },
  review: { verdict: "approved", score: 90, findings: [] },
  precheck: { verdict: "approved", issues: [] },
  recon: { tasks: [] },
  "pre-mortem": { risks: [] },
  "holistic-review": { verdict: "pass", summary: "fine", followUps: [], learnings: [] },
} as const satisfies Record<AgentStage, object>;

const stages = Object.keys(smallest) as AgentStage[]; // the keys of a literal are its own

describe("a report of each stage", () => {
  test.each<[AgentStage, object, object]>([
    [
      "develop",
      smallest.develop,
      { stage: "develop", summary: "did it", reflection: "", signals: [], question: null },
    ],
    [
      "develop",
      { summary: "s", filesChanged: 5, reflection: "r", signals: ["x"], question: { text: "q" } },
      {
        stage: "develop",
        summary: "s",
        reflection: "r",
        signals: ["x"],
        question: { text: "q", options: [] },
      },
    ],
    [
      "develop",
      { ...smallest.develop, reflection: null, signals: null, question: null },
      { stage: "develop", summary: "did it", reflection: "", signals: [], question: null },
    ],
    [
      "review",
      smallest.review,
      { stage: "review", verdict: "approved", score: 90, criteria: [], findings: [], justified: [] },
    ],
    [
      "precheck",
      { verdict: "needs_refinement", issues: ["i"] },
      {
        stage: "precheck",
        verdict: "needs_refinement",
        issues: ["i"],
      },
    ],
    [
      "recon",
      { tasks: [{ id: "task-2", verdict: "partial", evidence: "e" }] },
      { stage: "recon", tasks: [{ id: "task-2", verdict: "partial", evidence: "e" }] },
    ],
    ["pre-mortem", { risks: [risk] }, { stage: "pre-mortem", risks: [{ ...risk, taskIds: [] }] }],
    [
      "holistic-review",
      { verdict: "gaps", summary: "s", followUps: [followUp], learnings: ["l"] },
      { stage: "holistic-review", verdict: "gaps", summary: "s", followUps: [followUp], learnings: ["l"] },
    ],
  ])("%s is read", (stage, written, wanted) => {
    expect(read(stage, written).report).toEqual(wanted);
  });

  test.each(stages)("%s may have fields that nobody knows", (stage) => {
    const written = { ...smallest[stage], confidence: "high", __proto__: null, nested: [{ deep: true }] };
    expect(read(stage, written)).toEqual(read(stage, smallest[stage]));
  });

  test.each(stages)("%s is refused when any required field is missing", (stage) => {
    for (const key of Object.keys(smallest[stage])) {
      const { [key]: _taken, ...rest } = smallest[stage] as Readonly<Record<string, unknown>>;
      expect(refuse(stage, rest)).toEqual([expect.stringMatching(new RegExp(`^${key}: expected `))]);
    }
  });

  test.each(stages)("%s has a JSON Schema with its required fields, made once", (stage) => {
    const required = Object.keys(smallest[stage]);
    expect(reportSchemas[stage]).toMatchObject({ type: "object", required });
    expect(reportSchemas[stage]).toBe(reportSchemas[stage]);
  });
});

describe("bytes that are no report", () => {
  test.each<[string, Uint8Array | string, RegExp]>([
    ["nothing", "", /^the report is empty$/],
    ["spaces", " \n", /the file is empty/],
    ["prose", 'Here you are: {"summary":"s"}', /^line 1, column 1: expected valid JSON/],
    ["a fenced block", '```json\n{"summary":"s"}\n```', /^line 1, column 1/],
    ["prose behind", '{"summary":"s"}\nDone!', /^line 2, column 1: .*nothing after/],
    ["a cut report", '{"summary":"s', /closing double quote/],
    ["a list", '[{"summary":"s"}]', /^expected an object with summary/],
    ["a text", '"approved"', /^expected an object/],
    ["null", "null", /^expected an object/],
    ["a binary", Buffer.from([0xff, 0xfe, 0x00]), /UTF-8/],
    ["too much", JSON.stringify({ summary: "x".repeat(limits.reportBytes) }), /1 MiB/],
    ["a nest", `{"summary":"s","x":${"[".repeat(200)}${"]".repeat(200)}}`, /inside one another/],
  ])("%s is refused", (_what, bytes, reason) => {
    const result = readReport(source("develop", bytes));
    expect(result).toEqual({ ok: false, failure: [expect.stringMatching(reason)] });
  });

  test("a byte order mark and space around are tolerated", () => {
    expect(readReport(source("develop", '\uFEFF \n{"summary":"s"}\n\n')).ok).toBe(true);
  });

  test("problems are bounded and show hostile values harmlessly", () => {
    const findings = Array.from({ length: 1_000 }, () => ({ severity: "\u001b[2J\u202E" }));
    const problems = refuse("review", { ...smallest.review, findings });
    expect(problems).toHaveLength(21);
    expect(problems.join("\n").length).toBeLessThan(10_000);
    expect(problems.join("")).not.toMatch(/\p{Cc}|\u202E/u);
  });

  test("any bytes give a value or a refusal, never an exception", () => {
    fc.assert(
      fc.property(fc.constantFrom(...stages), fc.oneof(fc.uint8Array(), fc.json()), (stage, bytes) => {
        expect(readReport(source(stage, bytes)).ok).toBe(false);
      }),
    );
  });
});

describe("a review", () => {
  const review = (fields: object) => read("review", { ...smallest.review, ...fields }).report;
  const line = (index: number, verdict: string, where = "") => ({ index, verdict, where });

  test.each([-1, 101, "90", null, Number.NaN])("with the score %j is refused", (score) => {
    expect(refuse("review", { ...smallest.review, score })).toEqual([
      expect.stringMatching(/^score: expected a number from 0 to 100/),
    ]);
  });

  test("with a verdict in other words is refused", () => {
    expect(refuse("review", { ...smallest.review, verdict: "Approved" })).toEqual([
      'verdict: expected approved or iterate, found "Approved" (did you mean "approved"?)',
    ]);
  });

  test("keeps the worst verdict on each criterion, in their order", () => {
    const criteria = [
      line(1, "met"),
      line(0, "cannot tell"),
      line(1, "not met", "here"),
      line(1, "cannot tell"),
    ];
    expect(review({ criteria })).toMatchObject({
      criteria: [line(0, "cannot tell"), line(1, "not met", "here")],
    });
  });

  test.each([3, -1, 0.5])("on a criterion %j of 3 is refused", (index) => {
    expect(refuse("review", { ...smallest.review, criteria: [line(index, "met")] })).toEqual([
      expect.stringMatching(/^criteria\[0\]\.index: expected the /),
    ]);
  });

  test("never loses a not met among more criteria than a list keeps of other things", () => {
    const criteria = Array.from({ length: 200 }, (_, index) =>
      line(index, index === 199 ? "not met" : "met"),
    );
    const bytes = JSON.stringify({ ...smallest.review, criteria });
    const result = readReport({ ...source("review", bytes), criteriaCount: 200 });
    const { report } = result.ok ? result.value : { report: null };
    expect(report).toMatchObject({ criteria: { length: 200, 199: { verdict: "not met" } } });
  });

  test("gives every finding an id of its own", () => {
    const ids = [undefined, "f1.7", null, "", "f1.7", " x\ny ", "f2.1"];
    const { findings } = { findings: [], ...review({ findings: ids.map((id) => ({ ...finding, id })) }) } as {
      findings: readonly { id: string }[];
    };
    expect(findings.map(({ id }) => id)).toEqual(["f2.2", "f1.7", "f2.3", "f2.4", "f2.5", "x y", "f2.1"]);
  });

  test("reads where a finding is when it can, and is not lost when it cannot", () => {
    const places = [
      { file: "a.ts", line: 3 },
      { file: null, line: null },
      { file: 5, line: "3-5" },
      { line: 0 },
      {},
    ];
    const nowhere = { file: null, line: null };
    expect(review({ findings: places.map((place) => ({ ...finding, ...place })) })).toMatchObject({
      findings: [{ file: "a.ts", line: 3 }, nowhere, nowhere, nowhere, nowhere],
    });
  });

  test("keeps the most severe findings when there are too many", () => {
    const severityOf = (index: number) => (index === 70 ? "critical" : index % 2 === 0 ? "note" : "major");
    const written = Array.from({ length: 80 }, (_, index) => ({
      ...finding,
      id: `x${index}`,
      severity: severityOf(index),
    }));
    const { findings } = review({ findings: written }) as {
      findings: readonly { id: string; severity: string }[];
    };
    const count = (severity: string) => findings.filter((each) => each.severity === severity).length;
    expect([findings.length, count("critical"), count("major"), count("note")]).toEqual([50, 1, 40, 9]);
    expect(findings.slice(0, 3).map(({ id }) => id)).toEqual(["x0", "x1", "x2"]);
  });

  test("with thousands of findings of one id gives each kept one an id of its own", () => {
    const report = review({ findings: Array.from({ length: 15_000 }, () => ({ ...finding, id: "a" })) });
    const ids = report.stage === "review" ? report.findings.map(({ id }) => id) : [];
    expect(ids.length).toBeGreaterThan(1);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("carries its justifications", () => {
    expect(review({ justified: [{ finding: "e1", why: "w" }] })).toMatchObject({
      justified: [{ finding: "e1", why: "w" }],
    });
    expect(refuse("review", { ...smallest.review, justified: [{ finding: "e1", why: " " }] })).toHaveLength(
      1,
    );
  });
});

describe("run stages", () => {
  test("recon keeps the worst verdict on each task, in the order of the PRD", () => {
    const line = (id: string, verdict: string) => ({ id, verdict, evidence: "" });
    const tasks = [
      line("task-2", "confirmed"),
      line("task-1", "phantom"),
      line("task-1", "partial"),
      line("task-2", "partial"),
    ];
    expect(read("recon", { tasks }).report).toMatchObject({
      tasks: [line("task-1", "phantom"), line("task-2", "partial")],
    });
  });

  test("recon on a task that does not exist is refused", () => {
    const tasks = [{ id: "constructor", verdict: "phantom", evidence: "e" }];
    expect(refuse("recon", { tasks })).toEqual([
      'tasks[0].id: expected the id of a task of the PRD, found "constructor"',
    ]);
  });

  test("a risk keeps the tasks that exist, in the order of the PRD", () => {
    const risks = [
      { ...risk, taskIds: ["nope", "task-2", "task-1"] },
      { ...risk, taskIds: ["nope"] },
    ];
    expect(read("pre-mortem", { risks }).report).toMatchObject({
      risks: [{ taskIds: ["task-1", "task-2"] }, { taskIds: [] }],
    });
  });

  test.each([
    { title: " " },
    { title: "\u0000\u200B" },
    { acceptanceCriteria: [] },
    { acceptanceCriteria: ["\u001b"] },
  ])("a follow-up that could not be a task is refused: %j", (fields) => {
    const followUps = [{ ...followUp, ...fields }];
    expect(refuse("holistic-review", { ...smallest["holistic-review"], followUps })).toHaveLength(1);
  });

  test("a follow-up's title is one line", () => {
    const followUps = [{ ...followUp, title: "a\r\nPRD-Task: x" }];
    expect(read("holistic-review", { ...smallest["holistic-review"], followUps }).report).toMatchObject({
      followUps: [{ title: "a PRD-Task: x" }],
    });
  });
});

describe("texts", () => {
  const summaryOf = (summary: string) => (read("develop", { summary }).report as { summary: string }).summary;

  test.each([
    ["a\tb\nc", "a\tb\nc"],
    ["a\r\nb\rc", "a\nb\nc"],
    ["a\u0000\u0007\u001b[31mb\u007F\u009B", "a[31mb"],
    ["a\u202Eb\u2066c", "abc"],
    ["a\uD800b", "a\uFFFDb"],
    ["👍🏽 é", "👍🏽 é"],
  ])("%j is kept as %j", (written, kept) => {
    expect(summaryOf(written)).toBe(kept);
  });

  test("are cut to what is kept of an agent's text, never in the middle of a character", () => {
    expect(summaryOf("x".repeat(limits.agentTextChars))).toHaveLength(limits.agentTextChars);
    expect(summaryOf("x".repeat(limits.agentTextChars + 1))).toMatch(/^x+…$/);
    fc.assert(
      fc.property(fc.nat(5), (shift) => {
        const kept = summaryOf("x".repeat(shift) + "😀".repeat(limits.agentTextChars));
        expect(kept.length).toBeLessThanOrEqual(limits.agentTextChars);
        expect(kept).not.toMatch(/\p{Surrogate}/u);
      }),
    );
  });

  test("lists are cut to what is kept of an agent's list", () => {
    const signals = Array.from({ length: 80 }, (_, index) => `s${index}`);
    expect(read("develop", { ...smallest.develop, signals }).report).toMatchObject({
      signals: signals.slice(0, limits.agentListItems),
    });
  });
});

describe("usage", () => {
  const usageOf = (usage: unknown) => read("develop", { ...smallest.develop, usage }).usage;

  test("is null when the agent does not say", () => {
    expect(read("develop", smallest.develop).usage).toBe(null);
    expect(usageOf(null)).toBe(null);
  });

  test("has an unknown cost, not one of 0, when only tokens are told", () => {
    const tokens = { inputTokens: 5, outputTokens: 6 };
    expect(usageOf(tokens)).toEqual({
      ...tokens,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      costUsd: null,
      costBasis: "unknown",
      model: null,
    });
    expect(usageOf({ ...tokens, cacheReadTokens: 7, cacheWriteTokens: 8, costUsd: 0 })).toEqual({
      ...tokens,
      cacheReadTokens: 7,
      cacheWriteTokens: 8,
      costUsd: 0,
      costBasis: "reported",
      model: null,
    });
  });

  test.each([
    [{ inputTokens: -1, outputTokens: 0 }],
    [{ inputTokens: "5", outputTokens: 0 }],
    [{ inputTokens: 5 }],
    [[]],
    ["5"],
  ])("that cannot be is refused: %j", (usage) => {
    expect(refuse("develop", { ...smallest.develop, usage })).toHaveLength(1);
    expect(readUsage(Buffer.from(JSON.stringify({ usage })))).toBe(null);
  });

  test("that is infinite is refused", () => {
    const bytes = '{"summary":"s","usage":{"inputTokens":1e999,"outputTokens":0}}';
    expect(readReport(source("develop", bytes))).toMatchObject({
      ok: false,
      failure: [/usage\.inputTokens/],
    });
  });

  test("can be read from a report that is refused otherwise", () => {
    const bytes = Buffer.from('{"verdict":"great","usage":{"inputTokens":1,"outputTokens":2,"costUsd":0.5}}');
    expect(readUsage(bytes)).toMatchObject({ inputTokens: 1, outputTokens: 2, costUsd: 0.5 });
    expect(readUsage(Buffer.from("no"))).toBe(null);
  });
});

function source(stage: AgentStage, text: string | Uint8Array) {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  return { stage, bytes, round: 2, criteriaCount: 3, taskIds };
}

function read(stage: AgentStage, value: unknown) {
  const result = readReport(source(stage, JSON.stringify(value)));
  if (!result.ok) throw new Error(result.failure.join("\n"));
  return result.value;
}

function refuse(stage: AgentStage, value: unknown): readonly string[] {
  const result = readReport(source(stage, JSON.stringify(value)));
  return result.ok ? [] : result.failure;
}
