// JSON documents as they lie on disk: two spaces, one line feed at the end. A document with a long list is put
// together from the texts of its items, so that those of unchanged items need not be made again.

/** The whole document. */
export function toJsonDocument(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** An item of a list that is a field of the document, indented as it stands there. */
export function toJsonItem(value: unknown): string {
  // A line feed in this text is always layout: inside strings it is escaped.
  return JSON.stringify(value, null, 2).replaceAll("\n", "\n    ");
}

export interface ListField {
  readonly name: string;
  /** Texts made by `toJsonItem`. */
  readonly items: readonly string[];
}

/** The same document as `toJsonDocument({ ...before, [list.name]: items, ...after })`. */
export function toJsonDocumentWithList(before: object, list: ListField, after: object): string {
  const items = list.items.length === 0 ? "[]" : `[\n    ${list.items.join(",\n    ")}\n  ]`;
  const fields = [toFields(before), `  ${JSON.stringify(list.name)}: ${items}`, toFields(after)];
  return `{\n${fields.filter((text) => text !== "").join(",\n")}\n}\n`;
}

function toFields(value: object): string {
  const text = JSON.stringify(value, null, 2);
  return text === "{}" ? "" : text.slice(2, -2);
}
