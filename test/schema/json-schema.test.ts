// The JSON Schemas that ship: the committed files are those of the code, and they accept what the readers accept.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../../src/core/json.ts";
import { toJsonSchemas, toSchemaText } from "../../src/schema/json-schema.ts";
import { readPrd } from "../../src/schema/prd.ts";

const schemas = toJsonSchemas();
const prdSchema = schemas["prd.schema.json"];
const configSchema = schemas["config.schema.json"];
const folder = new URL("../../../shared/fixtures/prds/", import.meta.url);

test.each(Object.entries(schemas))("schemas/%s is what the code makes", (name, schema) => {
  const file = new URL(`../../schemas/${name}`, import.meta.url);
  expect(readFileSync(file, "utf8"), "run: npm run build && node scripts/write-schemas.mjs").toBe(
    toSchemaText(schema),
  );
});

test.each(Object.entries(schemas))("schemas/%s says its draft", (_name, schema) => {
  expect(schema["$schema"]).toBe("https://json-schema.org/draft/2020-12/schema");
});

describe("the schema of prd.json", () => {
  const task = { id: "a", title: "A", acceptanceCriteria: ["c"] };

  test.each<[JsonValue, boolean]>([
    [{ userStories: [task] }, true],
    [{ tasks: [{ ...task, status: "done", depends_on: [], file: "x", unknown: 1, priority: null }] }, true],
    [{ userStories: [{ ...task, id: "a b" }] }, false],
    [{ userStories: [{ ...task, title: " " }] }, false],
    [{ userStories: [{ ...task, acceptanceCriteria: [] }] }, false],
    [{ userStories: [{ ...task, status: "x" }] }, false],
    [{ userStories: [{ id: "a" }] }, false],
    [{ name: "x" }, false],
    [[], false],
  ])("judges %j as the reader does", (value, isGood) => {
    expect(accepts(prdSchema, value)).toBe(isGood);
    expect(readPrd({ text: JSON.stringify(value), file: "p" }).ok).toBe(isGood);
  });

  if (existsSync(folder)) {
    test.each(readdirSync(folder))("judges the collected %s as the reader does", (file) => {
      const text = readFileSync(new URL(file, folder), "utf8");
      expect(accepts(prdSchema, JSON.parse(text))).toBe(readPrd({ text, file }).ok);
    });
  } else {
    test("the collected PRDs are not here: skipped", () => expect(existsSync(folder)).toBe(false));
  }
});

test.each<[JsonValue, boolean]>([
  [{ $schema: "x", agents: { developer: { backend: "command", command: ["a"] } }, concurrency: 2 }, true],
  [{ concurency: 2 }, false],
  [{ concurrency: 0 }, false],
  [{ agents: { developer: { backend: "telepathy" } } }, false],
  [{ agents: { developer: { backend: "command", comand: [] } } }, false],
  [{ sandbox: "maybe" }, false],
])("the schema of the configuration judges %j", (value, isGood) => {
  expect(accepts(configSchema, value)).toBe(isGood);
});

/** As much of JSON Schema as ours use; a keyword that is not known here fails the test. */
function accepts(root: JsonObject, value: JsonValue, schema: JsonObject = root): boolean {
  return Object.entries(schema).every(([keyword, wanted]) =>
    keywordAccepts({ root, schema, keyword, wanted, value }),
  );
}

interface Check {
  readonly root: JsonObject;
  readonly schema: JsonObject;
  readonly keyword: string;
  readonly wanted: JsonValue;
  readonly value: JsonValue;
}

function keywordAccepts({ root, schema, keyword, wanted, value }: Check): boolean {
  const object =
    typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
  const sub = wanted as JsonObject; // of a schema that our own code made
  const list = wanted as readonly JsonValue[];
  switch (keyword) {
    case "$ref":
      return accepts(
        root,
        value,
        (root["$defs"] as Record<string, JsonObject>)[String(wanted).slice(8)] ?? {},
      );
    case "type":
      return [wanted].flat().some((type) => typeOf(value).includes(String(type)));
    case "anyOf":
      return list.some((each) => accepts(root, value, each as JsonObject));
    case "enum":
      return list.includes(value);
    case "required":
      return object === null || list.every((key) => Object.hasOwn(object, String(key)));
    case "properties":
      return Object.entries(object ?? {}).every(([key, item]) =>
        accepts(root, item, (sub[key] ?? {}) as JsonObject),
      );
    case "additionalProperties":
      return Object.entries(object ?? {}).every(([key, item]) => {
        if (Object.hasOwn((schema["properties"] ?? {}) as object, key)) return true;
        return wanted !== false && accepts(root, item, sub);
      });
    case "items":
      return !Array.isArray(value) || value.every((item: JsonValue) => accepts(root, item, sub));
    case "allOf":
      return list.every((each) => accepts(root, value, each as JsonObject));
    case "minItems":
      return !Array.isArray(value) || value.length >= Number(wanted);
    case "pattern":
      return typeof value !== "string" || new RegExp(String(wanted), "u").test(value);
    case "minimum":
      return typeof value !== "number" || value >= Number(wanted);
    case "exclusiveMinimum":
      return typeof value !== "number" || value > Number(wanted);
    case "maximum":
      return typeof value !== "number" || value <= Number(wanted);
    default:
      expect(["$schema", "$defs", "title", "id", "propertyNames"]).toContain(keyword);
      return true;
  }
}

function typeOf(value: JsonValue): readonly string[] {
  if (value === null) return ["null"];
  if (Array.isArray(value)) return ["array"];
  if (Number.isInteger(value)) return ["integer", "number"];
  return [typeof value];
}
