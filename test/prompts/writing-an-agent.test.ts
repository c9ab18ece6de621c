// docs/writing-an-agent.md: its programs are run, its table of variables is compared.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { toAgentVariables } from "../../src/adapters/agents/protocol.ts";
import { toRequestJson } from "../../src/core/request.ts";
import { toPrompt } from "../../src/prompts/prompt.ts";
import { readReport } from "../../src/schema/report.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { makeRequest, stages, toId } from "./requests.ts";

const page = readFileSync(new URL("../../docs/writing-an-agent.md", import.meta.url), "utf8");

function exampleOf(name: string): string {
  const [, code] = page.split(`<!-- example: ${name} -->\n\`\`\`js\n`);
  const [text] = (code ?? "").split("\n```");
  expect(text).toContain("import ");
  return `${text}\n`;
}

function start(at: {
  folder: string;
  example: string;
  rest?: readonly string[];
  input: string;
  stage: string;
}) {
  const program = join(at.folder, "example.mjs");
  writeFileSync(program, exampleOf(at.example));
  const { PATH } = process.env;
  return spawnSync(process.execPath, [program, ...(at.rest ?? [])], {
    cwd: at.folder,
    input: at.input,
    encoding: "utf8",
    env: {
      PATH,
      EXECUTE_PRD_STAGE: at.stage,
      EXECUTE_PRD_REQUEST: join(at.folder, "request.json"),
      EXECUTE_PRD_REPORT: join(at.folder, "report.json"),
    },
  });
}

test.each(stages)("the agent of the page answers the stage %s with a report that counts", (stage) => {
  const folder = temporaryFolder();
  const request = makeRequest(stage);
  writeFileSync(join(folder, "request.json"), JSON.stringify(toRequestJson(request)));
  const { status, stderr } = start({ folder, example: "agent", input: toPrompt(request), stage });
  expect([status, stderr]).toEqual([0, ""]);
  const bytes = readFileSync(join(folder, "report.json"));
  const taskIds = ["task-1", "task-2", "task-3"].map(toId);
  expect(readReport({ stage, bytes, round: 1, criteriaCount: 2, taskIds })).toMatchObject({ ok: true });
  expect(existsSync(join(folder, "NOTES.md"))).toBe(stage === "develop");
});

const echo = (text: string, code = 0) => [
  process.execPath,
  "-e",
  `process.stdin.on("data", () => {}).on("end", () => { console.log(${JSON.stringify(text)}); process.exitCode = ${code}; });`,
];

test("the wrapper of the page makes the last block of JSON the report", () => {
  const folder = temporaryFolder();
  const answer =
    'Thinking.\n```json\n{ "a": 1 }\n```\nDone:\n```json\n{ "verdict": "approved", "issues": [] }\n```';
  const run = start({ folder, example: "wrapper", rest: echo(answer), input: "prompt", stage: "precheck" });
  expect([run.status, run.stdout]).toEqual([0, `${answer}\n`]);
  const bytes = readFileSync(join(folder, "report.json"));
  expect(readReport({ stage: "precheck", bytes, round: 1, criteriaCount: 0, taskIds: [] })).toMatchObject({
    ok: true,
  });
});

test("the wrapper of the page passes a failure on, and then writes no report", () => {
  const folder = temporaryFolder();
  const failing = start({ folder, example: "wrapper", rest: echo("{}", 3), input: "", stage: "precheck" });
  expect(failing.status).toBe(3);
  const missing = start({
    folder,
    example: "wrapper",
    rest: ["no-such-program-here"],
    input: "",
    stage: "precheck",
  });
  expect(missing.status).not.toBe(0);
  expect(missing.stderr).toContain("no-such-program-here");
  expect(existsSync(join(folder, "report.json"))).toBe(false);
});

test("the page names every variable that an agent gets, and no other", () => {
  const named = new Set(page.match(/EXECUTE_PRD_[A-Z_]+/g));
  const given = Object.keys(
    toAgentVariables({ role: "developer", stage: "develop", slug: "", taskId: null, attempt: 1 } as never), // these suffice
  );
  const others = ["EXECUTE_PRD_DISPATCH", "EXECUTE_PRD_REQUEST", "EXECUTE_PRD_REPORT"];
  expect([...named].sort()).toEqual([...given, ...others].sort());
});
