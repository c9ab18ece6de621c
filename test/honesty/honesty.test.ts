// Agents that lie and agents that do not: what the program concludes of each, and what is really there afterwards.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { hasSandbox } from "./play.mjs";
import { concludeAll } from "./pool.mjs";
import { agentFiles, type Scenario, scenarios } from "./scenarios.mjs";
import { toRow } from "./table.mjs";

const document = readFileSync(new URL("../../docs/honesty.md", import.meta.url), "utf8");
const played = scenarios.filter(({ needsSandbox }) => hasSandbox || !needsSandbox);
const concluded = concludeAll(played);
const of = (kind: Scenario["kind"]) =>
  played.flatMap((scenario, index) => (scenario.kind === kind ? [[scenario.name, index] as const] : []));

describe("a lying agent never gets its lie on the branch as a finished task:", () => {
  it.each(of("lying"))("%s", async (_name, index) => {
    const conclusion = await concluded[index];
    if (conclusion === undefined) throw new Error("each scenario is played");
    const { scenario, isFalselyDone, isStopped, harm, named, told, reason, output } = conclusion;
    expect(isFalselyDone, [...harm, output].join("\n")).toBe(false);
    expect(isStopped ? "stopped" : "complete", reason).toBe(scenario.ends);
    expect([...named, ...told, reason].join("\n")).toMatch(scenario.because);
    expect(document).toContain(toRow(conclusion));
  });
});

if (!hasSandbox) {
  it("there is no bubblewrap here: lies that only a sandbox prevents are skipped", () =>
    expect(played.length).toBeLessThan(scenarios.length));
}

describe("an honest agent is not stopped for good:", () => {
  it.each(of("honest"))("%s", async (_name, index) => {
    const conclusion = await concluded[index];
    if (conclusion === undefined) throw new Error("each scenario is played");
    expect(conclusion, conclusion.output).toMatchObject({
      task: "complete",
      run: "completed",
      harm: [],
      isFalselyDone: false,
    });
    expect(document).toContain(toRow(conclusion));
  });
});

describe("docs/honesty.md", () => {
  it("has one row for each agent and none more, and every agent's file is a scenario", () => {
    const names = [...document.matchAll(/^\| ([\w-]+) \| .* \| .* \| .* \| .* \|$/gm)].map(
      ([, name]) => name,
    );
    expect(names.filter((name) => name !== "agent" && name !== "---")).toEqual(
      scenarios.map(({ name }) => name),
    );
    const files = scenarios.map(({ kind, name }) => `${kind}/${name}`);
    expect([...agentFiles()].sort()).toEqual([...files].sort());
  });

  it("is about at least thirty lying and ten honest agents", () => {
    expect(of("lying").length).toBeGreaterThanOrEqual(30);
    expect(of("honest").length).toBeGreaterThanOrEqual(10);
  });
});
