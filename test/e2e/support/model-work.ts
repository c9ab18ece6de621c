// What a model would do for the stages of a run, told by a stand-in of the Messages API.
import type { Body, Json } from "../../support/anthropic-rules.ts";
import { call, type Reply, resultsOf } from "../../support/anthropic-server.ts";

/** What a model would do: looks at the stage by the report that is asked for, and does as little as will do. */
export function work(body: Body): Reply {
  const report = body.tools?.find(({ name }) => name === "report")?.["input_schema"] as Json; // every request has it
  const fields = Object.keys(report["properties"] as Json); // a schema of an object
  const text = String(body.messages[0]?.content[0]?.["text"]);
  const hasWorked = resultsOf(body).length > 0;
  if (fields.includes("reflection")) return develop(text, hasWorked);
  if (!hasWorked) return { content: [call("glob", { pattern: "*" }), call("grep", { pattern: "project" })] };
  return { content: [call("report", toReport(fields))] };
}

export function develop(prompt: string, hasWorked: boolean): Reply {
  if (hasWorked)
    return { content: [call("report", { summary: "made the file", reflection: "", signals: [] })] };
  const file = /Make the file (\w+\.txt)/.exec(prompt)?.[1] ?? "unknown.txt";
  const calls = [
    call("write", { path: file, text: "made by a model" }),
    call("bash", { command: "cat *.txt; env" }),
  ];
  return { content: [{ type: "text", text: `I make ${file}.` }, ...calls] };
}

function toReport(fields: readonly string[]): Json {
  if (fields.includes("score")) {
    return {
      verdict: "approved",
      score: 95,
      criteria: [{ index: 0, verdict: "met", where: "the file" }],
      findings: [],
    };
  }
  if (fields.includes("risks")) return { risks: [] };
  if (fields.includes("tasks")) {
    return { tasks: ["a", "b"].map((id) => ({ id, verdict: "confirmed", evidence: "looked" })) };
  }
  if (fields.includes("followUps"))
    return { verdict: "pass", summary: "all there", followUps: [], learnings: [] };
  return { verdict: "approved", issues: [] };
}
