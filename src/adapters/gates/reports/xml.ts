// A small reader of XML for test reports: elements and attributes, nothing else. Document types are refused, so that
// no entity is ever defined; nothing is fetched; each character is looked at a bounded number of times.

export type XmlPart =
  | {
      readonly kind: "open";
      readonly name: string;
      readonly attributes: ReadonlyMap<string, string>;
      /** It is closed at once, without a "close" of its own. */
      readonly isEmpty: boolean;
    }
  | { readonly kind: "close"; readonly name: string }
  /** What cannot be read; nothing comes after it. */
  | { readonly kind: "broken" };

/** The elements of `text` from `from` on, in their order. Text between them is passed over. */
export function* readXml(text: string, from: number): Generator<XmlPart> {
  for (let at = text.indexOf("<", from); at !== -1; at = text.indexOf("<", at)) {
    const skipped = skipSection(text, at);
    if (skipped !== null) {
      at = skipped;
    } else {
      const tag = readTag(text, at);
      yield tag.part;
      at = tag.end;
    }
    if (at === -1) {
      if (skipped !== null) yield { kind: "broken" };
      return;
    }
  }
}

const sections: readonly (readonly [string, string])[] = [
  ["<!--", "-->"],
  ["<![CDATA[", "]]>"],
  ["<?", "?>"],
];

/** null: no section begins here; -1: it never ends. */
function skipSection(text: string, at: number): number | null {
  const section = sections.find(([start]) => text.startsWith(start, at));
  if (section === undefined) return null;
  const [start, close] = section;
  const end = text.indexOf(close, at + start.length);
  return end === -1 ? -1 : end + close.length;
}

interface TagRead {
  readonly part: XmlPart;
  /** Where to go on; -1: nowhere. */
  readonly end: number;
}

const broken: TagRead = { part: { kind: "broken" }, end: -1 };

function readTag(text: string, at: number): TagRead {
  const closing = matchAt(/<\/([^\s<>/"'=]{1,200})\s*>/y, text, at);
  if (closing !== null)
    return { part: { kind: "close", name: closing[1] ?? "" }, end: at + closing[0].length };
  const opening = matchAt(/<([A-Za-z_][^\s<>/"'=]{0,200})/y, text, at);
  if (opening === null) return broken;
  const attributes = new Map<string, string>();
  let end = at + opening[0].length;
  for (;;) {
    const attribute = matchAt(/\s+([^\s<>/"'=]{1,200})\s*=\s*(?:"([^"]*)"|'([^']*)')/y, text, end);
    if (attribute === null) break;
    attributes.set(
      attribute[1] ?? "",
      decodeEntities((attribute[2] ?? attribute[3] ?? "").slice(0, longestValue)),
    );
    end += attribute[0].length;
  }
  const ending = matchAt(/\s*(\/?)>/y, text, end);
  if (ending === null) return broken;
  const isEmpty = ending[1] === "/";
  return { part: { kind: "open", name: opening[1] ?? "", attributes, isEmpty }, end: end + ending[0].length };
}

const longestValue = 8_000;

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

const entities: ReadonlyMap<string, string> = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
  ["quot", '"'],
  ["apos", "'"],
]);

/** The five entities that XML has by itself, and characters by number. Anything else stays as it is. */
function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9A-Fa-f]{1,6})|([a-z]{2,4}));/g, (whole, decimal, hex, name) => {
    if (name !== undefined) return entities.get(name) ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
