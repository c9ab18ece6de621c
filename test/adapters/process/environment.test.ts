// What children get of the builder's environment.

import { expect, test } from "vitest";
import { knownPrograms } from "../../../src/adapters/agents/logins.ts";
import { keyVariables } from "../../../src/adapters/agents/program-variables.ts";
import { meteredKeys } from "../../../src/adapters/metering/upstreams.ts";
import { serviceKeys, toEnvironment } from "../../../src/adapters/process/environment.ts";

test("the keys of every agent are known as keys", () => {
  const programs = ["claude-code", "codex", "gemini", "opencode"] as const;
  const named = [...programs.flatMap(keyVariables), ...knownPrograms.flatMap(({ keys }) => keys)];
  const keys = named.filter((name) => !name.endsWith("_BASE_URL"));
  expect(serviceKeys).toEqual(expect.arrayContaining([...keys, ...meteredKeys]));
});

test("is an allow-list, what is named, and what is given", () => {
  const from = {
    PATH: "/bin",
    ANTHROPIC_API_KEY: "k",
    NAMED: "n",
    CLAUDECODE: "1",
    EXECUTE_PRD_ROLE: "developer",
  };
  const names = ["NAMED", "CLAUDECODE", "EXECUTE_PRD_ROLE", "MISSING"];
  expect(toEnvironment({ from, names, given: { GIVEN: "g" } })).toEqual({
    PATH: "/bin",
    NAMED: "n",
    CI: "1",
    GIVEN: "g",
  });
});
