// Which tools a role has, how the service is told of them, and one call carried out.

import type { Tool as ToolDefinition } from "@anthropic-ai/sdk/resources/messages/messages";
import { limits } from "../../../core/limits.ts";
import type { AgentRequest } from "../../../ports.ts";
import { reportSchemas } from "../../../schema/report.ts";
import { codeOf } from "../../process/output.ts";
import { bashTool } from "./bash-tool.ts";
import { editTool, readTool, writeTool } from "./file-tools.ts";
import type { ToolCall } from "./message.ts";
import { globTool, grepTool } from "./search-tools.ts";
import { refused, type Tool, type ToolAnswer, type ToolPlace, toInputSchema } from "./tool.ts";
import { toBoundedText } from "./tool-text.ts";

export const reportName = "report";

/** In the order of their names: what the service caches must not change between requests. */
const allTools: readonly Tool[] = [bashTool, editTool, globTool, grepTool, readTool, writeTool];

/** A policy can take tools away from a role, and give it none. */
export function toolsFor({ role, agent }: AgentRequest): readonly Tool[] {
  const named = agent.tools?.map((name) => name.toLowerCase()) ?? null;
  return allTools
    .filter(({ isChanging }) => role === "developer" || !isChanging)
    .filter(({ name }) => named === null || named.includes(name));
}

export function toDefinitions(tools: readonly Tool[], { stage }: AgentRequest): ToolDefinition[] {
  const report = {
    name: reportName,
    description: "Ends the work with its report. To be called once, as the last call.",
    input_schema: toInputSchema(reportSchemas[stage]),
  };
  const others = tools.map(({ name, description, inputSchema }) => ({
    name,
    description,
    input_schema: inputSchema,
  }));
  return [...others, report].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A tool bounds its answer itself and may add a note to it. */
const longestAnswerChars = limits.toolResultChars + 1_000;

/** Never rejects: what goes wrong is told to the model. */
export async function callTool(
  tools: readonly Tool[],
  { place, call }: { place: ToolPlace; call: ToolCall },
): Promise<ToolAnswer> {
  const tool = tools.find(({ name }) => name === call.name);
  if (tool === undefined) {
    const names = [...tools.map(({ name }) => name), reportName].join(", ");
    return refused(`there is no tool "${call.name.slice(0, 100)}"; there are: ${names}`);
  }
  try {
    const { ok, text } = await tool.run(place, call.input);
    return { ok, text: toBoundedText(place.run.options.redaction.text(text), longestAnswerChars) };
  } catch (error) {
    return refused(`${call.name} failed: ${codeOf(error)}`);
  }
}
