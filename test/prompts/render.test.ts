import { expect, test } from "vitest";
import { renderTemplate } from "../../src/prompts/render.ts";

test("placeholders are replaced by their values, each time they stand there", () => {
  expect(renderTemplate("{{a}} and {{b}}, {{a}}", { a: "1", b: "2" })).toBe("1 and 2, 1");
});

test.each(["{{b}}", "{{a}}", "$&", "$1", "$`", "$$", "{{#a}}", "{{/a}}"])(
  "the value %s is put in as it is",
  (value) => {
    expect(renderTemplate("<{{a}}> {{b}}", { a: value, b: "B" })).toBe(`<${value}> B`);
  },
);

test("a value that looks like a section on a line of its own drops nothing", () => {
  const template = "{{a}}\nstays\n{{b}}";
  expect(renderTemplate(template, { a: "{{#c}}", b: "{{/c}}" })).toBe("{{#c}}\nstays\n{{/c}}");
});

test("a section is dropped when its value is empty", () => {
  const template = "one\n{{#a}}\n## A\n\n{{a}}\n{{/a}}\ntwo";
  expect(renderTemplate(template, { a: "" })).toBe("one\ntwo");
  expect(renderTemplate(template, { a: "text" })).toBe("one\n## A\n\ntext\ntwo");
});

test("a section inside a dropped one is dropped too", () => {
  const template = "{{#a}}\n1\n{{#b}}\n2\n{{/b}}\n3\n{{/a}}\n4";
  expect(renderTemplate(template, { a: "", b: "x" })).toBe("4");
  expect(renderTemplate(template, { a: "x", b: "" })).toBe("1\n3\n4");
});

test("a section may ask for a value without showing it", () => {
  expect(renderTemplate("{{#a}}\nyes\n{{/a}}", { a: "x" })).toBe("yes");
});

test.each([
  ["a placeholder without a value", "{{a}}", {}, 'asks for "a"'],
  ["one in a dropped section", "{{#a}}\n{{b}}\n{{/a}}", { a: "" }, 'asks for "b"'],
  ["a name that every object has", "{{constructor}}", {}, 'asks for "constructor"'],
  ["a value that is not used", "text", { a: "1" }, 'never uses the value "a"'],
  ["a section without a value", "{{#a}}\n{{/a}}", {}, 'asks for "a"'],
  ["a section that does not close", "{{#a}}\ntext", { a: "1" }, 'does not close the section "a"'],
  ["a section that did not open", "text\n{{/a}}", { a: "1" }, 'closes the section "a"'],
  ["sections that overlap", "{{#a}}\n{{#b}}\n{{/a}}\n{{/b}}", { a: "1", b: "1" }, 'closes the section "a"'],
  ["a section tag inside a line", "x {{#a}} y", { a: "1" }, "malformed placeholder"],
  ["a name with a space", "{{ a }}", { a: "1" }, "malformed placeholder"],
  ["a placeholder that does not end", "{{a", { a: "1" }, "malformed placeholder"],
])("a broken template is a broken invariant: %s", (_what, template, values, message) => {
  expect(() => renderTemplate(template, values)).toThrow(
    expect.objectContaining({ name: "InvariantBroken" }),
  );
  expect(() => renderTemplate(template, values)).toThrow(message);
});
