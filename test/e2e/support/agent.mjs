// The agent of the end-to-end tests, a program of its own: the worker of test/support, which can besides run any
// code first. Its rules, in the file named by TEST_AGENT, have the worker's fields and:
//   code    body of an async function run in the agent's working directory; { env, request, fs, path, sh, sleep, mark }
//   mark    file that gets this process's id as soon as the rule's code has run
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

const { env } = process;
const { rules = [] } = JSON.parse(fs.readFileSync(env.TEST_AGENT, "utf8"));
const request = JSON.parse(fs.readFileSync(env.EXECUTE_PRD_REQUEST, "utf8"));
const rule = rules.find(
  (each) =>
    each.stage === env.EXECUTE_PRD_STAGE &&
    (each.taskId === undefined || each.taskId === env.EXECUTE_PRD_TASK_ID) &&
    (each.attempt === undefined || each.attempt === Number(env.EXECUTE_PRD_ATTEMPT)),
);

if (rule?.code !== undefined) {
  const AsyncFunction = (async () => {}).constructor;
  const sh = (...command) => execFileSync(command[0], command.slice(1), { encoding: "utf8", stdio: "pipe" });
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  await AsyncFunction(
    "at",
    `const { env, request, fs, path, sh, sleep } = at;\n${rule.code}`,
  )({
    env,
    request,
    fs,
    path,
    sh,
    sleep,
  });
}
if (rule?.mark !== undefined) fs.writeFileSync(rule.mark, String(process.pid));
await import("../../support/agents/worker.mjs");
