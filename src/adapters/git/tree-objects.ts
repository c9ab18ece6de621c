// The tree objects of an index, as `git write-tree` makes them: only those of folders in which something changed are
// made, and the index is told of all of them, so that it keeps them from being pruned and the next time is as short.

import { createHash } from "node:crypto";
import type { Sha } from "../../core/ids.ts";
import type { IndexFile } from "./index-file.ts";
import { algorithmOf, writeObject } from "./own-files.ts";

export interface FolderTree {
  readonly name: string;
  readonly id: Sha;
  /** Files in it, those of its folders too. */
  readonly fileCount: number;
  readonly folders: readonly FolderTree[];
}

/** `like`: any object id of the repository. Throws the system's error. */
export function writeTrees(commonDir: string, index: IndexFile, like: Sha): FolderTree {
  const algorithm = algorithmOf(like);
  let next = 0;
  // Entries are in the order of their whole paths, which is the order of tree objects, too.
  function build(name: string, prefix: string): FolderTree {
    const first = next;
    const parts: Buffer[] = [];
    const folders: FolderTree[] = [];
    for (let entry = index.entries[next]; entry?.path.startsWith(prefix); entry = index.entries[next]) {
      const end = entry.path.indexOf("/", prefix.length);
      if (end === -1) {
        parts.push(toItem(entry.mode, entry.path.slice(prefix.length), entry.blob));
        next += 1;
        continue;
      }
      const folder = build(entry.path.slice(prefix.length, end), entry.path.slice(0, end + 1));
      parts.push(toItem(0o40000, folder.name, folder.id));
      folders.push(folder);
    }
    const known = index.trees.get(prefix.slice(0, -1));
    const id = known ?? writeObject({ commonDir, algorithm }, "tree", Buffer.concat(parts));
    return { name, id, fileCount: next - first, folders };
  }
  return build("", "");
}

/** The same index, knowing the trees. */
export function withTrees(bytes: Buffer, index: IndexFile, tree: FolderTree): Buffer {
  const known = Buffer.concat(toKnown(tree));
  const head = Buffer.alloc(8, "TREE");
  head.writeUInt32BE(known.length, 4);
  const content = Buffer.concat([bytes.subarray(0, index.entriesEnd), head, known]);
  return Buffer.concat([content, createHash(algorithmOf(tree.id)).update(content).digest()]);
}

function toItem(mode: number, name: string, id: string): Buffer {
  return Buffer.concat([Buffer.from(`${mode.toString(8)} ${name}\0`, "latin1"), Buffer.from(id, "hex")]);
}

function toKnown({ name, id, fileCount, folders }: FolderTree): Buffer[] {
  const head = Buffer.from(`${name}\0${fileCount} ${folders.length}\n`, "latin1");
  return [head, Buffer.from(id, "hex"), ...folders.flatMap(toKnown)];
}
