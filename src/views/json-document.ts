// JSON documents as they lie on disk: two spaces, one line feed at the end. A document with a long list is put
// together from the texts of parts of it, so that those of unchanged parts need not be made again. A part is many
// items: putting thousands of small texts together takes longer than making them.

/** The whole document. */
export function toJsonDocument(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

export interface ListField {
  readonly name: string;
  /** Texts made by `toListPart`, one after the other. */
  readonly parts: readonly string[];
}

/** An item of a list that is a field of the document, indented as it stands there. */
export function toListItem(value: unknown): string {
  // A line feed in this text is always layout: inside strings it is escaped.
  return JSON.stringify(value, null, 2).replaceAll("\n", "\n    ");
}

/** Texts made by `toListItem`, at least one. */
export function toListPart(items: readonly string[]): string {
  return items.join(itemEnd);
}

/** Parts of the document that `toJsonDocument({ ...before, [list.name]: items, ...after })` gives. */
export function toJsonParts(before: object, list: ListField, after: object): readonly string[] {
  const head = toFields(before);
  const tail = toFields(after);
  const isEmpty = list.parts.length === 0;
  const start = `{\n${head === "" ? "" : `${head},\n`}  ${JSON.stringify(list.name)}: [${isEmpty ? "" : "\n    "}`;
  const end = `${isEmpty ? "" : "\n  "}]${tail === "" ? "" : `,\n${tail}`}\n}\n`;
  const items = list.parts.flatMap((part, k) => (k === 0 ? [part] : [itemEnd, part]));
  return [start, ...items, end];
}

const itemEnd = ",\n    ";

function toFields(value: object): string {
  const text = JSON.stringify(value, null, 2);
  return text === "{}" ? "" : text.slice(2, -2);
}
