// Writes schemas/ from the built code: `npm run build` first. A test compares the two.
import { mkdirSync, writeFileSync } from "node:fs";

const library = new URL("../dist/library.js", import.meta.url).href;
const { toJsonSchemas, toSchemaText } = await import(library);
const folder = new URL("../schemas/", import.meta.url);

mkdirSync(folder, { recursive: true });
for (const [name, schema] of Object.entries(toJsonSchemas())) {
  writeFileSync(new URL(name, folder), toSchemaText(schema));
  console.log(`wrote schemas/${name}`);
}
