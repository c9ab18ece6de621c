import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openRunFiles } from "../../src/adapters/run-files.ts";
import { removeTemporaryFiles } from "../../src/adapters/storage.ts";
import { InvariantBroken } from "../../src/core/result.ts";
import { runFilesConformance } from "../conformance/run-files.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

describe("the files of a run folder", () => {
  runFilesConformance(async () => {
    const folder = temporaryFolder();
    return { files: openRunFiles(folder), read: async (name) => readText(join(folder, name)) };
  });
});

function readText(path: string): string | null {
  return existsSync(path) ? readFileSync(path, "utf8") : null;
}

test("nothing is left beside a written file", async () => {
  const folder = temporaryFolder();
  await openRunFiles(folder).write("status.json", "{}");
  expect(readdirSync(folder)).toEqual(["status.json"]);
});

test("what a killed writer left can be removed, and nothing else is", () => {
  const folder = temporaryFolder();
  for (const name of [".status.json.0123456789ab.tmp", ".gitignore", "notes.tmp", "status.json"]) {
    writeFileSync(join(folder, name), "");
  }
  removeTemporaryFiles(folder);
  expect(readdirSync(folder).toSorted()).toEqual([".gitignore", "notes.tmp", "status.json"]);
  removeTemporaryFiles(join(folder, "missing"));
});

describe("a beginning is compared byte by byte", () => {
  test("a file that ends in half a character is completed", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "progress.md");
    writeFileSync(path, Buffer.from("ä").subarray(0, 1));
    expect(await openRunFiles(folder).extendTo("progress.md", ["ä\n"])).toMatchObject({ ok: true });
    expect(readText(path)).toBe("ä\n");
  });

  test("extending appends: the file stays the same file", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "progress.md");
    writeFileSync(path, "one\n");
    const before = lstatSync(path).ino;
    await openRunFiles(folder).extendTo("progress.md", ["one\n", "two\n"]);
    await openRunFiles(folder).append("progress.md", "three\n");
    expect(lstatSync(path).ino).toBe(before);
    expect(readText(path)).toBe("one\ntwo\nthree\n");
  });
});

describe("links and other traps in the run folder", () => {
  test("a folder replaced by a link is refused, and nothing is written where it points", async () => {
    const folder = temporaryFolder();
    const outside = temporaryFolder();
    symlinkSync(outside, join(folder, "receipts"));
    const files = openRunFiles(folder);
    const refused = { ok: false, failure: { reason: "storage-failed", code: "ENOTDIR" } };
    expect(await files.write("receipts/task-1.json", "x")).toMatchObject(refused);
    expect(await files.append("receipts/task-1.json", "x")).toMatchObject(refused);
    expect(await files.extendTo("receipts/task-1.json", ["x"])).toMatchObject(refused);
    expect(readdirSync(outside)).toEqual([]);
  });

  test("a file replaced by a link is replaced itself, not what it points to", async () => {
    const folder = temporaryFolder();
    const target = join(temporaryFolder(), "precious");
    writeFileSync(target, "precious");
    symlinkSync(target, join(folder, "status.json"));
    expect(await openRunFiles(folder).write("status.json", "{}")).toMatchObject({ ok: true });
    expect(lstatSync(join(folder, "status.json")).isFile()).toBe(true);
    expect(readText(target)).toBe("precious");
  });

  test("an append-only file replaced by a link is moved to salvage as a link", async () => {
    const folder = temporaryFolder();
    const target = join(temporaryFolder(), "precious");
    writeFileSync(target, "one\n");
    symlinkSync(target, join(folder, "progress.md"));
    const files = openRunFiles(folder);
    expect(await files.append("progress.md", "two\n")).toMatchObject({ failure: { code: "ELOOP" } });
    const result = await files.extendTo("progress.md", ["one\n", "two\n"]);
    expect(readlinkSync(join(folder, (result.ok && result.value.movedTo) || ""))).toBe(target);
    expect(readText(join(folder, "progress.md"))).toBe("one\ntwo\n");
    expect(readText(target)).toBe("one\n");
  });

  test("a pipe in place of a file blocks nothing", async () => {
    const folder = temporaryFolder();
    spawnSync("mkfifo", [join(folder, "progress.md")]);
    const files = openRunFiles(folder);
    expect(await files.append("progress.md", "x")).toMatchObject({ ok: false });
    expect(await files.extendTo("progress.md", ["x"])).toMatchObject({ ok: true });
    expect(readText(join(folder, "progress.md"))).toBe("x");
  });

  test.each(["../outside", "a/../../outside", "a/..", "a\\b", ""])(
    'the name "%s" is a mistake of the program, not trouble with the disk',
    async (name) => {
      await expect(openRunFiles(temporaryFolder()).write(name, "x")).rejects.toThrow(InvariantBroken);
    },
  );
});

describe("a disk that does not take it", () => {
  test("is a failure with what was done, where, and the system's code", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "status.json"));
    expect(await openRunFiles(folder).write("status.json", "{}")).toEqual({
      ok: false,
      failure: {
        reason: "storage-failed",
        doing: "writing",
        path: join(folder, "status.json"),
        code: expect.stringMatching(/^(EISDIR|ENOTEMPTY|EEXIST|EPERM)$/),
      },
    });
    expect(readdirSync(folder)).toEqual(["status.json"]);
  });

  test("for want of permission leaves the old file whole", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "status.json"), "old");
    chmodSync(folder, 0o555);
    // Permissions do not bind root, so root becomes somebody else for the time.
    const isRoot = process.getuid?.() === 0;
    if (isRoot) process.seteuid?.(65_534);
    const written = await openRunFiles(folder).write("status.json", "new");
    if (isRoot) process.seteuid?.(0);
    chmodSync(folder, 0o755);
    expect(written).toMatchObject({ ok: false, failure: { code: "EACCES" } });
    expect(readText(join(folder, "status.json"))).toBe("old");
  });
});
