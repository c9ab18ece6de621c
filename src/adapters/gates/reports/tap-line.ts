// One line of TAP, without its indentation.

/** A test point; what comes after its line (block of YAML, subtests) is filled in by the reader. */
export interface TapPoint {
  readonly isOk: boolean;
  readonly directive: "skip" | "todo" | null;
  readonly title: string;
  readonly opensBlock: boolean;
  readonly indent: number;
  readonly children: TapPoint[];
  /** Where node:test says that the test is; empty otherwise. */
  file: string;
  failureType: string;
}

export type TapLine =
  | { readonly kind: "version" | "subtest" | "end of block" | "bail out" | "other" }
  | { readonly kind: "plan"; readonly count: number }
  | { readonly kind: "point"; readonly point: TapPoint }
  /** A line of a summary in comments: `# fail 3`. */
  | { readonly kind: "count"; readonly name: string; readonly count: number };

export function readTapLine(line: string): TapLine {
  const point = /^(?<not>not )?ok(?=\s|$)(?: +\d+)?(?: +- )? *(?<rest>.*)$/.exec(line)?.groups;
  if (point !== undefined)
    return { kind: "point", point: toPoint(point["not"] === undefined, point["rest"]) };
  const plan = /^1\.\.(\d{1,9})\s*(?:#.*)?$/.exec(line);
  if (plan !== null) return { kind: "plan", count: Number(plan[1]) };
  const counted = /^# (tests|pass|fail|cancelled|skipped|skip|todo) +(\d{1,9})\s*$/.exec(line);
  if (counted !== null) return { kind: "count", name: counted[1] ?? "", count: Number(counted[2]) };
  if (line.startsWith("# Subtest")) return { kind: "subtest" };
  if (/^TAP version 1[2-4]\s*$/.test(line)) return { kind: "version" };
  if (/^Bail out!/i.test(line)) return { kind: "bail out" };
  return { kind: line.trimEnd() === "}" ? "end of block" : "other" };
}

function toPoint(isOk: boolean, rest = ""): TapPoint {
  const text = rest.trimEnd();
  const opensBlock = text.endsWith("{") && (text === "{" || text.endsWith(" {"));
  const described = opensBlock ? text.slice(0, -1).trimEnd() : text;
  const directive = /(?:^|\s)# ?(skip|todo)\b/i.exec(described);
  const untimed = described.slice(0, directive?.index).replace(/ # time=[\d.]+ *m?s$/, "");
  return {
    isOk,
    directive: directive === null ? null : directive[1]?.toLowerCase() === "skip" ? "skip" : "todo",
    title: untimed.replace(/\\([\\#])/g, "$1"),
    opensBlock,
    indent: 0,
    children: [],
    file: "",
    failureType: "",
  };
}
