// Which model and which effort an ACP session shall have, looked up in what the agent offers.

import type { AgentPolicy } from "../../core/policy.ts";
import { failed, type Result, success } from "../../core/result.ts";
import { isRecord } from "./acp-stream.ts";

export interface WantedOption {
  /** The protocol's word for what an option is about. */
  readonly category: "model" | "thought_level";
  readonly value: string;
}

export function wantedOptions({ model, effort }: AgentPolicy): readonly WantedOption[] {
  const wanted: WantedOption[] = [];
  if (model !== "") wanted.push({ category: "model", value: model });
  if (effort !== null) wanted.push({ category: "thought_level", value: effort });
  return wanted;
}

/**
 * The id of the option to set; null where there is nothing to set. A model that is not offered is a failure: another
 * one would do the work. An effort that is not offered is left to the agent.
 */
export function optionToSet(offered: unknown, wanted: WantedOption): Result<string | null, string> {
  const option = (Array.isArray(offered) ? offered : [])
    .filter(isRecord)
    .find(({ category, type }) => category === wanted.category && type === "select");
  const values = valuesOf(option?.["options"]);
  if (typeof option?.["id"] === "string" && values.includes(wanted.value)) return success(option["id"]);
  if (wanted.category !== "model") return success(null);
  const known = values.length === 0 ? "it offers no choice of models" : `it offers: ${values.join(", ")}`;
  return failed(`the agent does not offer the model "${wanted.value}"; ${known}`);
}

const maxValues = 50;

/** The values of a select, grouped or not. */
function valuesOf(options: unknown): readonly string[] {
  if (!Array.isArray(options)) return [];
  return options
    .filter(isRecord)
    .flatMap(({ options: group, value }) => (Array.isArray(group) ? group.filter(isRecord) : [{ value }]))
    .flatMap(({ value }) => (typeof value === "string" ? [value] : []))
    .slice(0, maxValues);
}
