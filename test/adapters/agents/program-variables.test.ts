// Who works with a login and who with a key.

import { expect, test } from "vitest";
import { authOf, usesLogin } from "../../../src/adapters/agents/program-variables.ts";

const key = { ANTHROPIC_API_KEY: "k" };

test.each([
  ["claude-code", null, {}, true],
  ["claude-code", null, key, false],
  ["claude-code", "login", key, true],
  ["claude-code", "key", {}, false],
  ["codex", null, key, true],
  ["codex", null, { OPENAI_API_KEY: "k" }, false],
  ["gemini", null, { GEMINI_API_KEY: "" }, true],
  ["opencode", null, { OPENROUTER_API_KEY: "k" }, false],
  ["command", null, {}, false],
  ["command", "login", {}, true],
  ["acp", null, {}, false],
  ["acp", "login", {}, true],
  ["anthropic", "login", {}, false],
  ["scripted", "login", {}, false],
] as const)("%s with auth %j and %j: login is %j", (backend, auth, environment, expected) => {
  expect(usesLogin({ backend, auth }, environment)).toBe(expected);
});

test("a program that is not known has a login, unless its configuration says otherwise", () => {
  expect(authOf({ backend: "acp", auth: null }, key)).toBe("login");
  expect(authOf({ backend: "acp", auth: "key" }, {})).toBe("key");
});
