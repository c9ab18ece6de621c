// How an agent that answers in a talk is told to report: in its last message, and once more when it did not.

import type { Failure } from "../../core/failure.ts";
import type { AgentRequest } from "../../ports.ts";
import { reportSchemas } from "../../schema/report.ts";

/** The prompt with what to do instead of writing a file; its last word, so that it holds. */
export function askForMessage({ prompt, stage }: AgentRequest): string {
  return `${prompt.trimEnd()}

## How your report is read here

You need not write a file for the report: it is read from your last message. Let that message be the JSON object, alone or in one \`\`\`json block at its end. Its JSON Schema:

${schemaBlock(stage)}
`;
}

export function askOnceMore({ stage }: AgentRequest, problem: Failure): string {
  const why =
    problem.reason === "report-invalid"
      ? `The report in your last message cannot be used:\n\n${problem.problems.map((each) => `- ${each}`).join("\n")}`
      : "Your last message holds no report.";
  return `${why}

Do no more work. Answer with the ${stage} report of the work you did, as one JSON object and nothing else. Its JSON Schema:

${schemaBlock(stage)}
`;
}

function schemaBlock(stage: AgentRequest["stage"]): string {
  return `\`\`\`json\n${JSON.stringify(reportSchemas[stage])}\n\`\`\``;
}
