// What files that gates run take in: modules, sourced scripts, lists, as far as their texts name them.

import type { Definition } from "./context.ts";
import { isGateConfiguration } from "./gate-paths.ts";
import { namedFiles } from "./gate-scripts.ts";
import { isCode, languageOf } from "./language.ts";
import { firstMatches } from "./lines.ts";
import { isTestPath } from "./test-path.ts";

/**
 * A file that serves to check or build the product, by where it lies. Only such files are followed: a check script that
 * takes in the product itself makes nothing of the product a definition of the gate.
 */
export function isToolFile(path: string): boolean {
  if (isTestPath(path) || manifest.test(path)) return false;
  const folders = path.split("/").slice(0, -1);
  if (folders.some((folder) => productFolder.test(folder))) return false;
  if (folders.length > 0) return folders.some((folder) => toolFolder.test(folder));
  return toolName.test(path) || isGateConfiguration(path);
}

/** A file whose text may lead from a gate to a tool file: one of these, or what lies at the top to be run. */
export function mayLeadToTools(path: string): boolean {
  return isToolFile(path) || (!path.includes("/") && isCode(path));
}

/**
 * Paths of tool files to which the started ones come. `texts` holds every version of a file that is known: one that
 * only the base, or only the candidate, takes in is among the results.
 */
export function takenIn(started: readonly string[], texts: readonly Definition[]): ReadonlySet<string> {
  const byPath = new Map<string, string[]>();
  for (const { path, text } of texts) byPath.set(path, [...(byPath.get(path) ?? []), text]);
  const tools = [...byPath.keys()].filter(isToolFile);
  const index = indexOf(tools);
  const seen = new Set(started);
  const todo = [...seen];
  const found = new Set<string>();
  for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
    for (const text of byPath.get(path) ?? []) {
      for (const next of filesIn(path, text, index)) {
        found.add(next);
        if (seen.has(next) || seen.size >= mostFiles) continue;
        seen.add(next);
        todo.push(next);
      }
    }
  }
  return found;
}

/** Configuration of tools is read by them without being named by anybody. */
export function startingFiles(commands: readonly string[], texts: readonly Definition[]): string[] {
  const configured = texts.map(({ path }) => path).filter(isGateConfiguration);
  return [...commands.flatMap(namedFiles), ...configured];
}

interface Index {
  /** Files by what may stand for them in a text: with and without ending, and the folder of an index file. */
  readonly files: ReadonlyMap<string, readonly string[]>;
  readonly folders: ReadonlyMap<string, readonly string[]>;
}

function indexOf(paths: readonly string[]): Index {
  const files = new Map<string, string[]>();
  const folders = new Map<string, string[]>();
  const add = (map: Map<string, string[]>, key: string, path: string): void => {
    const known = map.get(key);
    if (known === undefined) map.set(key, [path]);
    else known.push(path);
  };
  for (const path of paths) {
    const bare = path.replace(endings, "");
    for (const key of new Set([path, bare, bare.replace(/\/(?:index|__init__|mod)$/, "")])) {
      add(files, key, path);
    }
    const parts = path.split("/");
    for (let end = 1; end < parts.length; end++) add(folders, parts.slice(0, end).join("/"), path);
  }
  return { files, folders };
}

/** Named from where the file lies, or from the top; a whole folder only where it lies below the file. */
function filesIn(path: string, text: string, { files, folders }: Index): string[] {
  const folder = path.split("/").slice(0, -1).join("/");
  const isPython = languageOf(path) === "python";
  const words = new Set(firstMatches(text, word).map(([found]) => found));
  return [...words].flatMap((found) => {
    const isPath = /[./]/.test(found);
    if (!isPath && !isPython) return [];
    const plain = isPython && !/[/]|\.(?:py|json|txt|ya?ml|toml|cfg|ini|sh)$/.test(found);
    const name = plain ? found.replace(/^\.+/, "").replaceAll(".", "/") : found;
    const near = resolve(folder, name);
    const top = resolve("", name);
    const below = near !== null && near !== folder && near.startsWith(folder === "" ? "" : `${folder}/`);
    return [near, top]
      .flatMap((target) =>
        target === null ? [] : (files.get(target) ?? files.get(target.replace(endings, "")) ?? []),
      )
      .concat(below && /^\.\//.test(found) ? (folders.get(near) ?? []) : []);
  });
}

/** null: it leads out of the repository, or to its top. */
function resolve(folder: string, name: string): string | null {
  const parts = folder === "" ? [] : folder.split("/");
  for (const part of name.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return null;
  }
  return parts.length === 0 ? null : parts.join("/");
}

const word = /[\w@./-]{2,300}/g;
const endings = /\.(?:[cm]?[jt]sx?|py|sh|bash|rb|pl|php)$/;
const mostFiles = 500;
const manifest = /(?:^|\/)(?:package(?:-lock)?|composer|deno)\.jsonc?$|\.(?:md|lock)$/;
const toolFolder =
  /^(?:scripts?|tools?|tooling|ci|checks?|checkers?|hack|build|dev|bin|infra|ops|automation|gates?|lint\w*|eslint[\w-]*|config|rules|[\w-]+-rules|\.[\w-]+)$/i;
const productFolder = /^(?:src|lib|app|source|internal|pkg|cmd|node_modules|vendor|docs?)$/i;
/** At the top of a repository lies everything: there a name has to say so. */
const toolName = /(?:check|lint|rules?|gate|verify|forbid|allow|deny|ignore|baseline|threshold|banned)/i;
