// Reads a file that a hostile program may have made: it may be a link, a pipe without an end, a device, or huge. It is
// opened once and judged by what the open file is, never by its name.

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { codeOf } from "./process/output.ts";

export type PlainFileFound =
  | { readonly kind: "read"; readonly bytes: Buffer }
  | { readonly kind: "missing" }
  | { readonly kind: "unusable"; readonly problem: string };

/** Neither follows a link nor waits for anything. */
export async function readPlainFile(path: string, maxBytes: number): Promise<PlainFileFound> {
  let file: FileHandle;
  try {
    // O_NONBLOCK: opening a pipe that nobody writes to would wait for ever.
    const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
    file = await open(path, flags);
  } catch (error) {
    return toOpenProblem(codeOf(error));
  }
  try {
    const found = await file.stat();
    if (!found.isFile()) return { kind: "unusable", problem: "it is not a regular file" };
    if (found.nlink !== 1) return { kind: "unusable", problem: "it has more than one name (a hard link)" };
    const bytes = await readAtMost(file, maxBytes + 1);
    if (bytes.length > maxBytes) return { kind: "unusable", problem: `it is larger than ${maxBytes} bytes` };
    return { kind: "read", bytes };
  } catch (error) {
    return { kind: "unusable", problem: `it cannot be read: ${codeOf(error)}` };
  } finally {
    await file.close();
  }
}

function toOpenProblem(code: string): PlainFileFound {
  if (code === "ENOENT") return { kind: "missing" };
  if (code === "ELOOP" || code === "EMLINK") return { kind: "unusable", problem: "it is a link" };
  if (code === "ENXIO") return { kind: "unusable", problem: "it is not a regular file" };
  return { kind: "unusable", problem: `it cannot be opened: ${code}` };
}

// By reading, not by the size that the file claims to have.
async function readAtMost(file: FileHandle, maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let room = maxBytes;
  while (room > 0) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(Math.min(room, 64 * 1024)), 0, null, null);
    if (bytesRead === 0) break;
    parts.push(buffer.subarray(0, bytesRead));
    room -= bytesRead;
  }
  return Buffer.concat(parts);
}
