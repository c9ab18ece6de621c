// What kind of files came: binary, large, links, executable, repositories within the repository.

import { limits } from "../limits.ts";
import { type ChangedFile, isUnread, linkMode, submoduleMode } from "./changed-file.ts";
import { type Observation, quoted } from "./finding.ts";

export function findFileKinds(changes: readonly ChangedFile[]): Observation[] {
  const modules = changes.find(({ path }) => path === ".gitmodules");
  const submodules = readSubmodules(`${modules?.before ?? ""}\n${modules?.after ?? ""}`);
  const paths = changes.filter(({ afterMode }) => afterMode !== null).map(({ path }) => path);
  return changes.flatMap((file) => {
    const observations = [
      findRepository(file, submodules) ?? findBareRepository(file, paths),
      findLink(file),
      findExecutable(file),
      findSize(file),
    ];
    return observations.flatMap((told) => (told === null ? [] : [{ ...told, file: file.path, line: null }]));
  });
}

type Told = Pick<Observation, "kind" | "text"> | null;

function readSubmodules(text: string): ReadonlySet<string> {
  const lines = text.split("\n").map((line) => /^\s{0,20}path\s{0,5}=(.{1,1000})$/.exec(line)?.[1] ?? "");
  return new Set(lines.map((path) => path.trim()));
}

function findRepository(file: ChangedFile, submodules: ReadonlySet<string>): Told {
  const { path, beforeMode, afterMode } = file;
  const name = quoted(path);
  if (path.split("/").some((part) => part.toLowerCase() === ".git")) {
    return { kind: "nested-repository", text: `${name} lies in a folder of git's own` };
  }
  if (path === ".gitmodules") return { kind: "submodule-changed", text: "the list of submodules is another" };
  if (afterMode === submoduleMode && beforeMode !== submoduleMode && !submodules.has(path)) {
    return {
      kind: "nested-repository",
      text: `${name} is a repository within the repository; its files are not committed`,
    };
  }
  if (beforeMode !== submoduleMode && afterMode !== submoduleMode) return null;
  return { kind: "submodule-changed", text: `the submodule ${name} is another` };
}

/** git takes a folder with HEAD, objects and refs for a repository, whose configuration may name programs to start. */
function findBareRepository({ path, after }: ChangedFile, paths: readonly string[]): Told {
  if (!/(?:^|\/)HEAD$/.test(path) || !/^(?:ref: {0,9}refs\/|[0-9a-f]{40})/.test(after ?? "")) return null;
  const folder = path.slice(0, -"HEAD".length);
  const isWhole = ["objects/", "refs/"].every((part) => paths.some((each) => each.startsWith(folder + part)));
  return isWhole
    ? { kind: "nested-repository", text: `${quoted(path)} is the head of a bare repository` }
    : null;
}

function findLink({ path, beforeMode, afterMode, after }: ChangedFile): Told {
  if (afterMode !== linkMode) return null;
  const target = after ?? "/"; // a link that cannot be read may point anywhere
  const told = `the link ${quoted(path)} points to ${quoted(target)}`;
  if (leaves(path, target)) return { kind: "link-outside", text: `${told}, outside of the repository` };
  if (beforeMode !== null && beforeMode !== linkMode)
    return { kind: "link-replaced-file", text: `${told} and was a file` };
  return { kind: "link-added", text: told };
}

/** Whether a link's target is out of the repository, or in git's own folder. */
function leaves(path: string, target: string): boolean {
  if (/^(?:[/\\]|[A-Za-z]:)/.test(target)) return true;
  const place = path.split("/").slice(0, -1);
  for (const part of target.split(/[/\\]/)) {
    if (part === "" || part === ".") continue;
    if (part !== "..") place.push(part);
    else if (place.pop() === undefined) return true;
  }
  return place.some((part) => part.toLowerCase() === ".git");
}

function findExecutable({ path, beforeMode, afterMode, change }: ChangedFile): Told {
  if (afterMode !== "100755" || beforeMode === "100755" || change === "added") return null;
  return { kind: "made-executable", text: `${quoted(path)} is executable now` };
}

function findSize(file: ChangedFile): Told {
  const { path, isBinary, afterBytes, afterMode } = file;
  if (afterMode === null || afterMode === submoduleMode) return null;
  const size = `${Math.ceil(afterBytes / 1024)} KiB`;
  if (afterBytes >= limits.largeFileBytes) {
    const unread = isUnread(file) ? ", too large or binary to be examined" : "";
    return { kind: "large-file", text: `${quoted(path)} has ${size}${unread}` };
  }
  return isBinary ? { kind: "binary-file", text: `${quoted(path)} is binary (${size})` } : null;
}
