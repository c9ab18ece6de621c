// An agent for tests, as a program of its own: develops a file per task, reviews, leads. What it does beside that
// comes from a file of instructions named by TEST_AGENT, as a list of { stage, taskId?, attempt?, …what }.
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const env = process.env;
const stage = env.EXECUTE_PRD_STAGE;
const taskId = env.EXECUTE_PRD_TASK_ID;
const attempt = Number(env.EXECUTE_PRD_ATTEMPT);
const plan =
  env.TEST_AGENT && existsSync(env.TEST_AGENT) ? JSON.parse(readFileSync(env.TEST_AGENT, "utf8")) : {};
const prompt = readFileSync(0, "utf8");
const request = JSON.parse(readFileSync(env.EXECUTE_PRD_REQUEST, "utf8"));
if (plan.log)
  appendFileSync(
    plan.log,
    `${JSON.stringify({ stage, taskId, attempt, dispatch: env.EXECUTE_PRD_DISPATCH, promptChars: prompt.length })}\n`,
  );

const rule = (plan.rules ?? []).find(
  (each) =>
    each.stage === stage &&
    (each.taskId === undefined || each.taskId === taskId) &&
    (each.attempt === undefined || each.attempt === attempt) &&
    (each.round === undefined || each.round === attempt),
);

for (const [path, text] of Object.entries(rule?.write ?? {})) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
for (const path of rule?.delete ?? []) rmSync(path, { recursive: true, force: true });
if (rule?.hang) {
  if (rule.mark) writeFileSync(rule.mark, String(process.pid));
  setInterval(() => {}, 1000);
} else {
  if (rule?.waitMs) await new Promise((resolve) => setTimeout(resolve, rule.waitMs));
  if (rule?.raw !== undefined) writeFileSync(env.EXECUTE_PRD_REPORT, rule.raw);
  else if (rule?.report !== null)
    writeFileSync(env.EXECUTE_PRD_REPORT, JSON.stringify(rule?.report ?? honest()));
  process.exitCode = rule?.exit ?? 0;
}

function honest() {
  switch (stage) {
    case "develop": {
      if (rule?.write === undefined) writeFileSync(`${taskId}.txt`, `${taskId}, attempt ${attempt}\n`);
      return {
        summary: `made ${taskId}.txt`,
        reflection: "straightforward",
        usage: { inputTokens: 10, outputTokens: 5 },
      };
    }
    case "review":
      return {
        verdict: "approved",
        score: 95,
        criteria: request.task.acceptanceCriteria.map((_text, index) => ({
          index,
          verdict: "met",
          where: `${taskId}.txt`,
        })),
        findings: [],
      };
    case "precheck":
      return { verdict: "approved", issues: [] };
    case "recon":
      return { tasks: request.tasks.map(({ id }) => ({ id, verdict: "confirmed", evidence: "looked" })) };
    case "pre-mortem":
      return { risks: [] };
    default:
      return { verdict: "pass", summary: "all there", followUps: [], learnings: ["small steps"] };
  }
}
