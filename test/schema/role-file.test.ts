// Role files: settings that are read as strictly as the configuration, with the line of what is wrong, and the text.

import { describe, expect, test } from "vitest";
import { limits } from "../../src/core/limits.ts";
import { describeProblem } from "../../src/schema/problem.ts";
import { readRoleFile, readSubagentFile } from "../../src/schema/role-file.ts";

async function read(text: string) {
  const found = await readRoleFile({ text, file: "developer.md" });
  if (!found.ok) throw new Error(found.failure.map(describeProblem).join("\n"));
  return found.value;
}

async function refuse(text: string) {
  const found = await readRoleFile({ text, file: "developer.md" });
  if (found.ok) throw new Error(JSON.stringify(found.value));
  return found.failure;
}

describe("A role file", () => {
  test("has settings of an agent, and words", async () => {
    const text = [
      "\uFEFF---",
      "backend: acp # any",
      "command: [my-agent, --acp]",
      "model: big",
      "effort: high",
      "tools:",
      "  - read",
      "  - edit",
      "timeoutMs: 5000",
      "idleTimeoutMs: 0",
      "maxTurns: 12",
      "env: [MY_API_KEY]",
      "auth: key",
      "fallback: second",
      "---",
      "",
      "<!-- a comment",
      "of two lines -->",
      "Use tabs.",
      "---",
      "And rulers.",
    ].join("\r\n");
    expect(await read(text)).toEqual({
      file: "developer.md",
      kind: "role",
      settings: {
        backend: "acp",
        command: ["my-agent", "--acp"],
        model: "big",
        effort: "high",
        tools: ["read", "edit"],
        timeoutMs: 5000,
        idleTimeoutMs: 0,
        maxTurns: 12,
        env: ["MY_API_KEY"],
        auth: "key",
        fallback: "second",
      },
      instructions: "Use tabs.\n---\nAnd rulers.",
    });
  });

  test.each(["", "Only words.", "---\n---\nOnly words.", "---\n# model: x\n\n---\nOnly words."])(
    "may have no settings: %j",
    async (text) => {
      const { settings, instructions } = await read(text);
      expect(settings).toEqual({});
      expect(instructions).toBe(text === "" ? "" : "Only words.");
    },
  );

  test("may name its tools in one line", async () => {
    expect((await read("---\ntools: Read, Edit ,\n---\n")).settings).toEqual({ tools: ["Read", "Edit"] });
  });

  test.each<[string, string, object]>([
    [
      "an unknown key",
      "---\nbackend: acp\n\ntimeoutMS: 5\n---\n",
      {
        path: "line 4, timeoutMS",
        value: "5",
        expected: "no unknown key",
        hint: 'did you mean "timeoutMs"?',
      },
    ],
    [
      "an unknown backend",
      "---\nbackend: acpp\n---\n",
      { path: "line 2, backend", hint: 'did you mean "acp"?' },
    ],
    [
      "a number for a text",
      "---\nmodel: 5\n---\n",
      { path: "line 2, model", hint: 'write it in quotes: "5"' },
    ],
    ["a text in a list of names", "---\nenv:\n  - A B\n---\n", { path: "line 2, env[0]" }],
    ["words, which are the body's", "---\ninstructions: x\n---\n", { path: "line 2, instructions" }],
    ["a list", "---\n- a\n---\n", { path: "line 2", expected: "keys and values" }],
    ["a key twice", "---\nmodel: a\nmodel: b\n---\n", { path: "line 3", expected: "settings in YAML" }],
    ["no YAML", "---\nmodel: [a\n---\n", { expected: "settings in YAML" }],
    ["a tag", "---\nmodel: !!js/function x\n---\n", { path: "line 2", expected: "settings in YAML" }],
    [
      "a tag that is known",
      "---\nmodel: !!binary aGk=\n---\n",
      { path: "line 2", expected: "settings in YAML" },
    ],
    [
      "an alias",
      "---\nmodel: &a x\nscript: *a\n---\n",
      { expected: "settings in YAML", hint: expect.stringContaining("aliases") },
    ],
    ["no end", "---\nmodel: a\n", { path: "line 1" }],
    ["a bottomless list", `---\nmodel: ${"[".repeat(9_000)}\n---\n`, { expected: "settings in YAML" }],
    [
      "too many settings",
      `---\n${"# x\n".repeat(limits.frontMatterChars / 4)}a: 1\n---\n`,
      { path: "line 1" },
    ],
    ["too much", "x".repeat(limits.roleFileBytes + 1), { expected: expect.stringContaining("at most") }],
  ])("is refused with %s", async (_, text, problem) => {
    expect((await refuse(text))[0]).toMatchObject({ file: "developer.md", ...problem });
  });

  test("cannot reach a prototype", async () => {
    await refuse("---\n__proto__: { backend: acp }\n---\n");
    expect(Object.hasOwn(Object.prototype, "backend")).toBe(false);
  });
});

describe("A file for Claude Code", () => {
  test("gives model, tools and words, whatever else is in it", () => {
    const text = `---
name: developer
description: Use this: <example>Context: "x": y</example>
tools: Read, Grep
model: opus
color: red
---
Work well.`;
    expect(readSubagentFile({ text, file: "f" })).toEqual({
      ok: true,
      value: {
        file: "f",
        kind: "subagent",
        settings: { model: "opus", tools: ["Read", "Grep"] },
        instructions: "Work well.",
      },
    });
  });

  test("that inherits its model names none", () => {
    const read = readSubagentFile({ text: "---\nmodel: inherit\n---\nx", file: "f" });
    expect(read).toMatchObject({ ok: true, value: { settings: {} } });
  });
});
