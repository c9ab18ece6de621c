// The report in an agent's final message, however the agent wraps it.

import { describe, expect, test } from "vitest";
import { reportInText } from "../../../src/adapters/agents/report-text.ts";
import { timed } from "../../support/processor-time.ts";

describe("The report in a final message", () => {
  test.each([
    ["is the whole message", '\n{"a":1}\n', { a: 1 }],
    [
      "is the last block of JSON",
      'First\n```json\n{"a":1}\n```\nno:\n```json\n{"a":2}\n```\nDone.',
      { a: 2 },
    ],
    ["may hold three backticks", '```json\n{"a":"```js\\nx\\n```"}\n```', { a: "```js\nx\n```" }],
    ["is the last block that is one", '```json\n{"a":1}\n```\n```json\n{"a":\n```\n```ts\n{}\n```', { a: 1 }],
    ["is the last object in prose", 'It is {"a":1} or {"a":{"b":"}"}}, so', { a: { b: "}" } }],
    ["is found behind braces of prose", 'I closed the { in `if (a) {` and: {"a":"\\"{"}', { a: '"{' }],
    ["is found behind code", 'function f() { return "x"; }\n{"a":3}', { a: 3 }],
    ["is no list, number or text", '[{"a":1}', { a: 1 }],
  ])("%s", (_, text, report) => {
    expect(reportInText(text)).toEqual(report);
  });

  test.each(["", "done", "[1]", "12", '{"a":', "{a: 1}", "```json\nnull\n```"])(
    "is missing in %j",
    (text) => {
      expect(reportInText(text)).toBeUndefined();
    },
  );

  test.each([
    ["{", 500_000],
    ["{", 15_000_000],
    ['{"a', 4_000_000],
    ["\n```json\n{", 1_000_000],
  ])("is looked for in no more than a moment among %j", (text, times) => {
    const whole = text.repeat(times);
    const { value, ms } = timed(() => reportInText(whole));
    expect(value).toBeUndefined();
    expect(ms).toBeLessThan(20_000);
  });

  test("is found at the end of a message that is far too long", () => {
    expect(reportInText(`${"```json\n{\n```\n".repeat(200_000)}\n\`\`\`json\n{"a":1}\n\`\`\``)).toEqual({
      a: 1,
    });
  });
});
