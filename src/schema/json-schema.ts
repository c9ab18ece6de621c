// The JSON Schemas (draft 2020-12) that ship in schemas/: made of the shapes that the readers use, so that an
// editor and the program never disagree about a key.

import { z } from "zod";
import type { JsonObject } from "../core/json.ts";
import { configShape } from "./config-shape.ts";
import { prdShape } from "./prd-shape.ts";

export interface JsonSchemas {
  readonly "prd.schema.json": JsonObject;
  readonly "config.schema.json": JsonObject;
}

/** File names in schemas/ and their content. `scripts/write-schemas.mjs` writes them. */
export function toJsonSchemas(): JsonSchemas {
  return {
    "prd.schema.json": toSchema(prdShape, "The plan that execute-prd carries out: a goal and its tasks"),
    "config.schema.json": toSchema(configShape, "Configuration of execute-prd"),
  };
}

/** The bytes of a schema file. */
export function toSchemaText(schema: JsonObject): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function toSchema(shape: z.ZodType, title: string): JsonObject {
  const { $schema, ...rest } = z.toJSONSchema(shape, { io: "input" });
  // Through text, so that it is plain JSON whatever the generator hands out.
  return JSON.parse(JSON.stringify({ $schema, title, ...rest }));
}
