// The architecture, held by machine: which room may import what, what the pure room may name, and how big things get.
// `checkArchitecture` is pure, so that its own tests can show on made-up sources that each rule bites.
import { isBuiltin } from "node:module";
import { posix } from "node:path";
import ts from "typescript";

export type SourceFile = {
  /** From the root of the project, with forward slashes: `src/core/plan.ts`. */
  readonly path: string;
  readonly text: string;
};

const MAX_FUNCTION_LINES = 70;
const MAX_FILE_LINES = 400;
const CORE_MEDIAN_FUNCTION_LINES_BELOW = 20;

const NOTHING = [] as const;
const ANY = "any";

type RoomRule = {
  /** Rooms, or single files, that may be imported in any way. A room may always import itself. */
  readonly imports: readonly string[];
  /** Rooms of which only types may be imported. */
  readonly typeImports: readonly string[];
  readonly node: readonly string[] | typeof ANY;
  readonly packages: readonly string[] | typeof ANY;
};

const ROOMS: Readonly<Record<string, RoomRule>> = {
  core: { imports: NOTHING, typeImports: NOTHING, node: NOTHING, packages: NOTHING },
  views: { imports: ["core"], typeImports: NOTHING, node: NOTHING, packages: NOTHING },
  ports: { imports: NOTHING, typeImports: ["core"], node: NOTHING, packages: NOTHING },
  prompts: { imports: ["core"], typeImports: NOTHING, node: NOTHING, packages: NOTHING },
  engine: {
    imports: ["core", "ports", "views", "prompts"],
    typeImports: NOTHING,
    node: NOTHING,
    packages: NOTHING,
  },
  schema: {
    imports: ["core"],
    typeImports: NOTHING,
    node: ["node:crypto", "node:zlib"],
    packages: ["zod", "yaml"],
  },
  adapters: { imports: ["core", "ports", "schema"], typeImports: NOTHING, node: ANY, packages: ANY },
  demo: { imports: ["core", "schema"], typeImports: NOTHING, node: ANY, packages: NOTHING },
  application: {
    imports: [
      "core",
      "ports",
      "views",
      "prompts",
      "schema",
      "adapters",
      "engine/engine.ts",
      "../package.json",
    ],
    typeImports: NOTHING,
    node: ANY,
    packages: NOTHING,
  },
  library: {
    imports: ["application", "core", "schema"],
    typeImports: NOTHING,
    node: NOTHING,
    packages: NOTHING,
  },
  surfaces: {
    imports: ["library", "application", "core", "views", "schema", "demo"],
    typeImports: ["ports"],
    node: ANY,
    packages: ANY,
  },
  main: { imports: ["surfaces"], typeImports: NOTHING, node: NOTHING, packages: NOTHING },
  "text-modules": { imports: NOTHING, typeImports: NOTHING, node: NOTHING, packages: NOTHING },
};

const PURE_ROOMS = ["core"];
/** Nothing of these is reproducible: the clock, randomness, the outside world, waiting. */
const IMPURE_NAMES = new Set([
  "Date",
  "Promise",
  "console",
  "crypto",
  "fetch",
  "globalThis",
  "performance",
  "process",
  "queueMicrotask",
  "require",
  "setImmediate",
  "setInterval",
  "setTimeout",
]);

const KEBAB_CASE = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const EMPTY_WORD = /(?:^|-)(?:utils?|helpers?|commons?|managers?|services?)$/;

/** Every rule on every file: one sentence for each violation, nothing when all is well. */
export function checkArchitecture(files: readonly SourceFile[]): string[] {
  const parsed = files.map(parse);
  return [
    ...parsed.flatMap(checkName),
    ...parsed.flatMap(checkImports),
    ...parsed.flatMap(checkPurity),
    ...parsed.flatMap(checkSize),
    ...parsed.flatMap(checkBarrel),
    ...checkCycles(parsed),
    ...checkCoreMedian(parsed),
  ];
}

type Import = { readonly target: string; readonly isTypeOnly: boolean; readonly line: number };

type ParsedFile = SourceFile & {
  readonly tree: ts.SourceFile;
  readonly room: string;
  readonly nodes: readonly ts.Node[];
  readonly imports: readonly Import[];
};

function parse({ path, text }: SourceFile): ParsedFile {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const nodes = withDescendants(tree);
  const imports = nodes.flatMap((node) => toImport(node, tree));
  return { path, text, tree, room: toRoom(path), nodes, imports };
}

function withDescendants(node: ts.Node): ts.Node[] {
  const found = [node];
  ts.forEachChild(node, (child) => {
    found.push(...withDescendants(child));
  });
  return found;
}

/** `src/core/plan.ts` is in `core`, `src/ports.ts` in `ports`. */
function toRoom(path: string): string {
  const [first = ""] = posix.relative("src", path).split("/");
  return first.replace(/(?:\.d)?\.tsx?$/, "");
}

// Names

function checkName({ path, room }: ParsedFile): string[] {
  const violations: string[] = [];
  if (!Object.hasOwn(ROOMS, room)) violations.push(`${path}: "${room}" is no known room`);
  for (const segment of posix.relative("src", path).split("/")) {
    const name = segment.replace(/(?:\.d)?\.tsx?$/, "");
    if (!KEBAB_CASE.test(name)) violations.push(`${path}: "${name}" is not kebab-case`);
    if (EMPTY_WORD.test(name.toLowerCase()))
      violations.push(`${path}: "${name}" says nothing about what is in it`);
  }
  return violations;
}

// Imports

function toImport(node: ts.Node, tree: ts.SourceFile): Import[] {
  const found = findImportTarget(node);
  if (!found) return [];
  const { target, isTypeOnly } = found;
  const text = target && ts.isStringLiteralLike(target) ? target.text : "";
  return [{ target: text, isTypeOnly, line: toLine(tree, node.getStart(tree)) }];
}

/** Static imports, re-exports, `import x = require()`, `import()` and `require()` with a value, `import("x").T` in types. */
function findImportTarget(node: ts.Node): { target: ts.Node | undefined; isTypeOnly: boolean } | undefined {
  if (ts.isImportDeclaration(node)) {
    const isTypeOnly = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
    return { target: node.moduleSpecifier, isTypeOnly };
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
    return { target: node.moduleSpecifier, isTypeOnly: node.isTypeOnly };
  }
  if (ts.isExternalModuleReference(node)) return { target: node.expression, isTypeOnly: false };
  if (ts.isImportTypeNode(node)) {
    const { argument } = node;
    return { target: ts.isLiteralTypeNode(argument) ? argument.literal : undefined, isTypeOnly: true };
  }
  if (!ts.isCallExpression(node)) return undefined;
  const isDynamicImport = node.expression.kind === ts.SyntaxKind.ImportKeyword;
  const isRequire = ts.isIdentifier(node.expression) && node.expression.text === "require";
  return isDynamicImport || isRequire ? { target: node.arguments[0], isTypeOnly: false } : undefined;
}

function checkImports(file: ParsedFile): string[] {
  const rule = ROOMS[file.room];
  if (!rule) return [];
  return file.imports.flatMap((entry) => {
    const complaint = findImportComplaint(file, entry, rule);
    return complaint ? [`${file.path}:${entry.line}: ${complaint}`] : [];
  });
}

function findImportComplaint(file: ParsedFile, entry: Import, rule: RoomRule): string | undefined {
  const { target } = entry;
  if (target === "") return "imports something that is not a plain string";
  if (target.startsWith(".")) return findRoomComplaint(file, entry, rule);
  if (isBuiltin(target)) {
    const name = target.startsWith("node:") ? target : `node:${target}`;
    return rule.node === ANY || rule.node.includes(name)
      ? undefined
      : `${file.room} may not import "${target}"`;
  }
  const [scopeOrName = "", name = ""] = target.split("/");
  const packageName = scopeOrName.startsWith("@") ? `${scopeOrName}/${name}` : scopeOrName;
  if (rule.packages === ANY || rule.packages.includes(packageName)) return undefined;
  return `${file.room} may not import the package "${packageName}"`;
}

function findRoomComplaint(file: ParsedFile, entry: Import, rule: RoomRule): string | undefined {
  const path = toPath(file.path, entry.target);
  const fromSrc = posix.relative("src", path);
  const room = toRoom(path);
  if (path === "src/main.ts") return "nobody imports main.ts";
  const isCode = /\.tsx?$/.test(path);
  if (!isCode && PURE_ROOMS.includes(file.room))
    return `${file.room} may not import the file "${entry.target}"`;
  if (!isCode && room === file.room) return undefined;
  if (fromSrc.includes("/") && room === file.room) return undefined;
  if (rule.imports.includes(room) || rule.imports.includes(fromSrc)) return undefined;
  if (!rule.typeImports.includes(room)) return `${file.room} may not import "${fromSrc}"`;
  return entry.isTypeOnly ? undefined : `${file.room} may import only types from "${fromSrc}" (import type)`;
}

function toPath(importer: string, target: string): string {
  return posix.join(posix.dirname(importer), target);
}

// Purity

function checkPurity({ path, room, tree, nodes }: ParsedFile): string[] {
  if (!PURE_ROOMS.includes(room)) return [];
  return nodes.flatMap((node) => {
    const name = findImpurity(node);
    return name ? [`${path}:${toLine(tree, node.getStart(tree))}: ${room} may not use "${name}"`] : [];
  });
}

function findImpurity(node: ts.Node): string | undefined {
  if (node.kind === ts.SyntaxKind.AsyncKeyword) return "async";
  if (node.kind === ts.SyntaxKind.AwaitKeyword || ts.isAwaitExpression(node)) return "await";
  if (!ts.isIdentifier(node) || isOnlyLabel(node)) return undefined;
  if (node.text === "Math") return isDeterministicMath(node.parent) ? undefined : "Math.random";
  return IMPURE_NAMES.has(node.text) ? node.text : undefined;
}

/** Whether the identifier names a member (`x.process`, `{ process: 1 }`, `type T = { process: string }`), not a variable. */
function isOnlyLabel(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  if (ts.isQualifiedName(parent)) return parent.right === node;
  if (ts.isBindingElement(parent)) return parent.propertyName === node;
  const isMember = ts.isPropertyAssignment(parent) || ts.isClassElement(parent) || ts.isTypeElement(parent);
  return isMember && parent.name === node;
}

/** `Math.max` and the like; `Math` handed on, taken apart or indexed could be `Math.random`. */
function isDeterministicMath(parent: ts.Node): boolean {
  return ts.isPropertyAccessExpression(parent) && parent.name.text !== "random";
}

// Size

function checkSize({ path, text, tree, nodes }: ParsedFile): string[] {
  const violations: string[] = [];
  const fileLines = text.replace(/\n$/, "").split("\n").length;
  if (fileLines > MAX_FILE_LINES) {
    violations.push(`${path}: ${fileLines} lines, at most ${MAX_FILE_LINES}`);
  }
  for (const node of nodes.filter(isFunctionWithBody)) {
    const lines = countLines(node, tree);
    if (lines <= MAX_FUNCTION_LINES) continue;
    const line = toLine(tree, node.getStart(tree));
    violations.push(`${path}:${line}: a function of ${lines} lines, at most ${MAX_FUNCTION_LINES}`);
  }
  return violations;
}

function checkCoreMedian(files: readonly ParsedFile[]): string[] {
  const lengths = files
    .filter(({ room }) => room === "core")
    .flatMap(({ nodes, tree }) => nodes.filter(isFunctionWithBody).map((node) => countLines(node, tree)))
    .sort((a, b) => a - b);
  const median = lengths[Math.floor(lengths.length / 2)] ?? 0;
  if (median < CORE_MEDIAN_FUNCTION_LINES_BELOW) return [];
  return [
    `src/core: the median function has ${median} lines, wanted are under ${CORE_MEDIAN_FUNCTION_LINES_BELOW}`,
  ];
}

function isFunctionWithBody(node: ts.Node): boolean {
  return ts.isFunctionLike(node) && "body" in node && node.body !== undefined;
}

function countLines(node: ts.Node, tree: ts.SourceFile): number {
  return toLine(tree, node.getEnd()) - toLine(tree, node.getStart(tree)) + 1;
}

function toLine(tree: ts.SourceFile, position: number): number {
  return tree.getLineAndCharacterOfPosition(position).line + 1;
}

// Barrels and cycles

function checkBarrel({ path, room, tree }: ParsedFile): string[] {
  const { statements } = tree;
  const isOnlyPassing = statements.every(
    (statement) => ts.isImportDeclaration(statement) || isPassing(statement),
  );
  if (room === "library" || !isOnlyPassing || !statements.some(isPassing)) return [];
  return [`${path}: only re-exports; import from the file that has the thing`];
}

function isPassing(statement: ts.Statement): boolean {
  return ts.isExportDeclaration(statement) || ts.isExportAssignment(statement);
}

/** Cycles through anything but `import type`; each is reported once, from its first file in the order of names. */
function checkCycles(files: readonly ParsedFile[]): string[] {
  const targets = new Map(
    files.map(({ path, imports }) => [
      path,
      imports
        .filter(({ target, isTypeOnly }) => !isTypeOnly && target.startsWith("."))
        .map(({ target }) => toPath(path, target)),
    ]),
  );
  const reported = new Set<string>();
  return [...targets.keys()].sort().flatMap((start) => {
    if (reported.has(start)) return [];
    const cycle = findCycle(start, targets);
    for (const path of cycle) reported.add(path);
    return cycle.length > 0 ? [`a cycle of imports: ${[...cycle, start].join(" -> ")}`] : [];
  });
}

/** The shortest way from a file back to itself, without the return; empty when there is none. */
function findCycle(start: string, targets: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const seen = new Set<string>();
  const ways: (readonly string[])[] = [[start]];
  for (const way of ways) {
    for (const next of targets.get(way.at(-1) ?? start) ?? []) {
      if (next === start) return way;
      if (seen.has(next)) continue;
      seen.add(next);
      ways.push([...way, next]);
    }
  }
  return [];
}
