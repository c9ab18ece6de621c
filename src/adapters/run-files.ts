// The derived files of a run folder: replaced atomically, or only ever extended. Nothing is written through a link,
// so that a program that replaced a folder by one does not lead the writer out of the run folder.

import fs from "node:fs";
import { dirname, join, posix } from "node:path";
import { assert, success } from "../core/result.ts";
import type { RunFiles } from "../ports.ts";
import { folderNames } from "./run-folder.ts";
import {
  attemptStorage,
  flushFolder,
  makeFolderBelow,
  openRegularFile,
  readRegularFile,
  replaceButFolder,
  replaceFile,
  unless,
  writeWhole,
} from "./storage.ts";

export function openRunFiles(folder: string): RunFiles {
  const at = (doing: string, name: string) => ({ doing, path: join(folder, name) });
  return {
    write: async (name, text) =>
      attemptStorage(at("writing", name), () => replaceFile(placeFor(folder, name), text)),
    writeAll: async (files) => {
      const folders = new Map<string, string>();
      for (const { name, text } of files) {
        const written = attemptStorage(at("writing", name), () => {
          const path = placeFor(folder, name);
          replaceButFolder(path, text);
          folders.set(dirname(path), name);
        });
        if (!written.ok) return written;
      }
      for (const [path, name] of folders) {
        const flushed = attemptStorage(at("writing", name), () => flushFolder(path));
        if (!flushed.ok) return flushed;
      }
      return success(undefined);
    },
    extendTo: async (name, parts) =>
      attemptStorage(at("extending", name), () => extendTo({ folder, name, text: [...parts].join("") })),
    append: async (name, text) =>
      attemptStorage(at("appending to", name), () => appendTo(placeFor(folder, name), Buffer.from(text))),
  };
}

/** A free name in `salvage/`, which is made when missing: `salvage/<label>-<time><ending>`. */
export function salvageName(at: { folder: string; label: string; ending: string }): string {
  makeFolderBelow(at.folder, folderNames.salvage);
  const time = new Date().toISOString().replaceAll(/[-:]/g, "");
  for (let number = 1; ; number += 1) {
    const suffix = number === 1 ? "" : `-${number}`;
    const name = `${folderNames.salvage}/${at.label}-${time}${suffix}${at.ending}`;
    if (unless(["ENOENT"], () => fs.lstatSync(join(at.folder, name))) === undefined) return name;
  }
}

/** Returns the new name, which says what it was and when. */
function moveToSalvage(folder: string, name: string): string {
  const { dir, name: stem, ext: ending } = posix.parse(name);
  const label = posix.join(dir, stem).replaceAll("/", "-");
  const newName = salvageName({ folder, label, ending });
  fs.renameSync(join(folder, name), join(folder, newName));
  flushFolder(join(folder, folderNames.salvage));
  flushFolder(dirname(join(folder, name)));
  return newName;
}

/** The path of a file, after its folders were made. */
function placeFor(folder: string, name: string): string {
  const fileName = posix.basename(name);
  assert(fileName !== "" && fileName !== ".." && !fileName.includes("\\"), `"${name}" names a file`);
  return join(makeFolderBelow(folder, posix.dirname(name).replace(/^\.$/, "")), fileName);
}

function extendTo(at: { folder: string; name: string; text: string }): { readonly movedTo: string | null } {
  const path = placeFor(at.folder, at.name);
  const wanted = Buffer.from(at.text);
  const present = readPresent(path);
  if (present !== null && wanted.subarray(0, present.length).equals(present)) {
    appendTo(path, wanted.subarray(present.length));
    return { movedTo: null };
  }
  const movedTo = moveToSalvage(at.folder, at.name);
  replaceFile(path, wanted);
  return { movedTo };
}

/** Empty when there is nothing yet, null when what is there cannot be a beginning: a link, a folder, a pipe. */
function readPresent(path: string): Buffer | null {
  const entry = unless(["ENOENT"], () => fs.lstatSync(path));
  if (entry === undefined) return Buffer.alloc(0);
  return entry.isFile() ? readRegularFile(path) : null;
}

function appendTo(path: string, data: Uint8Array): void {
  const isNew = !fs.existsSync(path);
  const { O_APPEND, O_CREAT, O_WRONLY } = fs.constants;
  const file = openRegularFile(path, O_WRONLY | O_APPEND | O_CREAT);
  try {
    writeWhole(file, data);
    fs.fdatasyncSync(file);
  } finally {
    fs.closeSync(file);
  }
  if (isNew) flushFolder(dirname(path));
}
