// The schema of a stage's report as models are given it: without what they need not say, and in the strict form.

import type { JsonObject, JsonValue } from "../../core/json.ts";
import type { AgentStage } from "../../core/report.ts";
import { reportSchemas } from "../../schema/report.ts";
import { isObject } from "./json-field.ts";

/** What the program counts or looks up itself is not asked for. */
const notAsked = new Set(["usage", "filesChanged"]);

/** Words of a schema that services refuse or read differently; the report is checked here anyhow. */
const notSent = new Set(["$schema", "default", "pattern", "minimum", "maximum", "minItems"]);

export function askedSchema(stage: AgentStage): JsonObject {
  const { properties, ...rest } = reportSchemas[stage];
  const asked = Object.entries(isObject(properties) ? properties : {}).filter(
    ([name]) => !notAsked.has(name),
  );
  return simplify({ ...rest, properties: Object.fromEntries(asked) });
}

/** Every field required and no other allowed, as services want it that hold a model to a schema. */
export function strictSchema(stage: AgentStage): JsonObject {
  return toStrict(askedSchema(stage));
}

function simplify(schema: JsonObject): JsonObject {
  const kept = Object.entries(schema).filter(([word]) => !notSent.has(word));
  return mapSchemas(Object.fromEntries(kept), simplify);
}

function toStrict(schema: JsonObject): JsonObject {
  const inner = mapSchemas(schema, toStrict);
  const { properties } = inner;
  if (!isObject(properties)) return inner;
  return { ...inner, required: Object.keys(properties), additionalProperties: false };
}

/** The schemas inside a schema, wherever they may stand. */
function mapSchemas(schema: JsonObject, change: (inner: JsonObject) => JsonObject): JsonObject {
  const changed = (value: JsonValue): JsonValue => (isObject(value) ? change(value) : value);
  const entries = Object.entries(schema).map(([word, value]): [string, JsonValue] => {
    if (word === "properties" && isObject(value)) {
      return [word, Object.fromEntries(Object.entries(value).map(([name, each]) => [name, changed(each)]))];
    }
    if (word === "items") return [word, changed(value)];
    if (word === "anyOf" && Array.isArray(value)) return [word, value.map(changed)];
    return [word, value];
  });
  return Object.fromEntries(entries);
}
