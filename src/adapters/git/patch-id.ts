// The patch id of a diff, as `git patch-id --stable` gives it: a digest of what a change does, without white space
// and line numbers, which stays the same when the change is put on another base. Reckoned here while the diff goes
// by; a process of git for it would cost more than the diff.

import { createHash, type Hash } from "node:crypto";

export interface PatchId {
  write(chunk: Buffer): void;
  /** Empty for an empty diff. */
  end(): string;
}

export function openPatchId(algorithm: "sha1" | "sha256"): PatchId {
  const lines = new PatchLines(algorithm);
  let rest: Buffer[] = [];
  return {
    write(chunk) {
      let from = 0;
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
        const line = chunk.subarray(from, end + 1);
        lines.take(rest.length === 0 ? line : Buffer.concat([...rest, line]));
        rest = [];
        from = end + 1;
      }
      // A copy: the chunk's memory is the stream's.
      if (from < chunk.length) rest.push(Buffer.from(chunk.subarray(from)));
    },
    end() {
      if (rest.length > 0) lines.take(Buffer.concat(rest));
      return lines.end();
    },
  };
}

/** The head of a file's diff; lines of a hunk, of which so many are to come; the bytes of a binary file. */
type Part =
  | { readonly kind: "head" }
  | { readonly kind: "hunk"; before: number; after: number }
  | { readonly kind: "binary" };

class PatchLines {
  readonly #algorithm: "sha1" | "sha256";
  readonly #sum: Buffer;
  #hash: Hash;
  #part: Part = { kind: "head" };
  #blobs = "";
  #hashed = 0;

  constructor(algorithm: "sha1" | "sha256") {
    this.#algorithm = algorithm;
    this.#hash = createHash(algorithm);
    this.#sum = Buffer.alloc(algorithm === "sha1" ? 20 : 32);
  }

  take(bytes: Buffer): void {
    const line = bytes.toString("latin1");
    if (line.startsWith("\\ ") && line.length > 12) return; // "No newline at end of file"
    if (this.#hashed === 0 && !line.startsWith("diff ")) return;
    if (this.#part.kind === "binary") {
      // git leaves out the first line of the file after a binary one, too.
      if (line.startsWith("diff ")) this.#part = { kind: "head" };
      return;
    }
    if (this.#part.kind === "head" && this.#takeHead(line)) return;
    if (this.#part.kind === "hunk" && this.#takeBetween(line)) return;
    if (this.#part.kind === "hunk") {
      if (line.startsWith("-") || line.startsWith(" ")) this.#part.before -= 1;
      if (line.startsWith("+") || line.startsWith(" ")) this.#part.after -= 1;
    }
    this.#add(line.replace(/[ \t\n\r]+/g, ""));
  }

  end(): string {
    this.#close();
    return this.#hashed === 0 ? "" : this.#sum.toString("hex");
  }

  /** True: the line itself is no part of the digest. */
  #takeHead(line: string): boolean {
    const blobs = /^index ([0-9a-f]+)\.\.([0-9a-f]+)/.exec(line);
    if (blobs !== null) {
      this.#blobs = `${blobs[1]}${blobs[2]}`;
      return true;
    }
    if (line.startsWith("GIT binary patch") || line.startsWith("Binary files")) {
      this.#hash.update(this.#blobs);
      this.#close();
      this.#part = { kind: "binary" };
      return true;
    }
    // The two lines with the file's names count as one line out and one line in.
    if (line.startsWith("--- ")) this.#part = { kind: "hunk", before: 1, after: 1 };
    return false;
  }

  /** After a hunk: the next one, or the next file. True: the line itself is no part of the digest. */
  #takeBetween(line: string): boolean {
    if (this.#part.kind !== "hunk" || this.#part.before > 0 || this.#part.after > 0) return false;
    const hunk = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? /.exec(line);
    if (hunk !== null) {
      this.#part = { kind: "hunk", before: Number(hunk[1] ?? "1"), after: Number(hunk[2] ?? "1") };
      return true;
    }
    this.#close();
    this.#part = { kind: "head" };
    return false;
  }

  #add(text: string): void {
    this.#hashed += text.length;
    this.#hash.update(text, "latin1");
  }

  /** Adds the digest of one file's diff to the sum: so that their order does not matter. */
  #close(): void {
    const digest = this.#hash.digest();
    this.#hash = createHash(this.#algorithm);
    let carry = 0;
    for (let k = 0; k < this.#sum.length; k += 1) {
      carry += (this.#sum[k] ?? 0) + (digest[k] ?? 0);
      this.#sum[k] = carry & 0xff;
      carry >>= 8;
    }
  }
}
