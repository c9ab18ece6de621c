// Changed scripts and configuration that gates depend on.

import type { ChangedFile } from "./changed-file.ts";
import type { Definition, EvidenceContext } from "./context.ts";
import { listed, type Observation, quoted } from "./finding.ts";
import { isToolFile, startingFiles, takenIn } from "./gate-imports.ts";
import {
  isGateConfiguration,
  isMakefile,
  isManifest,
  isPartlyGateConfiguration,
  isStandIn,
} from "./gate-paths.ts";
import {
  isCheckName,
  isSameSetting,
  type ManifestParts,
  namedFiles,
  reachedScripts,
  readManifest,
} from "./gate-scripts.ts";
import { splitLines } from "./lines.ts";
import { isMakeChanged } from "./makefile.ts";
import { gatePartOf } from "./partial-configuration.ts";
import { findWeakerLevels, findWeakerSettings } from "./settings.ts";
import { isTestName } from "./test-path.ts";

export type GateContext = Pick<EvidenceContext, "gates" | "definitions" | "tools">;

export function findGateChanges(changes: readonly ChangedFile[], context: GateContext): Observation[] {
  const ofGates = changedGateFiles(changes, context);
  return [
    ...ofGates.flatMap(({ file, what }): Observation[] => [
      {
        kind: "gate-changed",
        file: file.path,
        line: firstLineOf(file),
        text: `${what} ${verbs[file.change]}`,
      },
      ...findWeakerSettings(file),
    ]),
    ...findWeakerLevels(changes, new Set(ofGates.map(({ file }) => file.path))),
  ];
}

/** The changed files that gates depend on, with what about them is another. */
export function changedGateFiles(
  changes: readonly ChangedFile[],
  context: GateContext,
): readonly { readonly file: ChangedFile; readonly what: string }[] {
  const lines = linesOfGates(changes, context);
  const run = new Set(lines.flatMap(namedFiles));
  const taken = filesTakenIn(lines, changes, context);
  return changes.flatMap((file) => {
    const name = quoted(file.path);
    if (run.has(file.path) && !isTestName(file.path))
      return [{ file, what: `the file ${name}, which a gate runs,` }];
    const what =
      whatChanged(file, context) ??
      (taken.has(file.path) ? `the file ${name}, which what a gate runs takes in,` : null);
    return what === null ? [] : [{ file, what }];
  });
}

const verbs: Readonly<Record<ChangedFile["change"], string>> = {
  added: "is new",
  modified: "is changed",
  deleted: "is deleted",
  "type changed": "is another kind of file",
};

function firstLineOf(file: ChangedFile): number | null {
  const [first] = [...file.added.slice(0, 1), ...file.removed.slice(0, 1)];
  return first === undefined ? null : first.line;
}

function whatChanged(file: ChangedFile, context: GateContext): string | null {
  const { path, before, after } = file;
  if (isManifest(path)) return manifestChange(file, context);
  const commands = context.gates.map(({ command }) => command);
  const isRelevant = isMakefile(path)
    ? before === null || after === null || isMakeChanged(before, after, allCommands(context, commands))
    : isConfigurationChanged(file);
  return isRelevant ? `the configuration ${quoted(path)}` : null;
}

function isConfigurationChanged({ path, change, before, after }: ChangedFile): boolean {
  if (change === "added" && isStandIn(path)) return true;
  if (isGateConfiguration(path)) return before === null || after === null || !isSameSetting(before, after);
  return isPartlyGateConfiguration(path) && gatePartOf(path, before ?? "") !== gatePartOf(path, after ?? "");
}

const noParts: ManifestParts = { scripts: {}, settings: {} };

function manifestChange(file: ChangedFile, { gates }: GateContext): string | null {
  const before = file.before === null ? noParts : readManifest(file.before);
  const after = file.after === null ? noParts : readManifest(file.after);
  if (before === null || after === null)
    return `the manifest ${quoted(file.path)}, which cannot be read as JSON,`;
  const commands = gates.map(({ command }) => command);
  const scripts = changedScripts(before, after, commands).map((name) => `scripts.${name}`);
  const keys = new Set([...Object.keys(before.settings), ...Object.keys(after.settings)]);
  const settings = [...keys].filter((key) => before.settings[key] !== after.settings[key]);
  const parts = [...scripts, ...settings];
  return parts.length === 0 ? null : `${listed(parts)} of ${quoted(file.path)}`;
}

/** Scripts that gates come to, before or after, and that are others; a new one only when it runs with one of these. */
function changedScripts(before: ManifestParts, after: ManifestParts, commands: readonly string[]): string[] {
  const reached = new Set([
    ...reachedScripts(commands, before.scripts),
    ...reachedScripts(commands, after.scripts),
    ...Object.keys(before.scripts).filter(isCheckName),
  ]);
  const own = (scripts: ManifestParts["scripts"], name: string): string | null =>
    Object.hasOwn(scripts, name) ? String(scripts[name]) : null;
  return [...reached].filter((name) => own(before.scripts, name) !== own(after.scripts, name));
}

/** The command lines to which gates come: by scripts of the base, and by those of the candidate. */
function linesOfGates(changes: readonly ChangedFile[], context: GateContext): string[] {
  const after = changes.flatMap(({ path, after: text }) =>
    text === null || !isManifest(path) ? [] : [{ path, text }],
  );
  const commands = context.gates.map(({ command }) => command);
  return [
    ...commands,
    ...allCommands(context, commands),
    ...allCommands({ ...context, definitions: after }, commands),
  ];
}

function filesTakenIn(
  lines: readonly string[],
  changes: readonly ChangedFile[],
  { tools }: GateContext,
): ReadonlySet<string> {
  if (!changes.some(({ path }) => isToolFile(path))) return new Set();
  const texts = changes.flatMap(({ path, before, after }) =>
    [before, after].flatMap((text) => (text === null ? [] : [{ path, text }])),
  );
  const known = [...tools, ...texts];
  return takenIn(startingFiles(lines, known), known);
}

/** The gates' command lines and those of the scripts that they come to. */
function allCommands({ definitions }: GateContext, commands: readonly string[]): string[] {
  const scripts = definitions
    .filter(({ path }) => isManifest(path))
    .flatMap((definition) => scriptsOf(definition, commands));
  const lines = [...commands, ...scripts];
  if (!lines.some((line) => /\b(?:g?make|just)\b/.test(line))) return lines;
  return [
    ...lines,
    ...definitions.filter(({ path }) => isMakefile(path)).flatMap(({ text }) => splitLines(text)),
  ];
}

function scriptsOf({ text }: Definition, commands: readonly string[]): string[] {
  const { scripts } = readManifest(text) ?? noParts;
  return [...reachedScripts(commands, scripts)].map((name) => String(scripts[name]));
}
