import fs from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import {
  attemptStorage,
  makeFolderBelow,
  placeNewFile,
  readRegularFile,
  replaceFile,
  toBytes,
  unless,
} from "../../src/adapters/storage.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** What is flushed, linked and renamed while `work` runs, in order, by name. */
function recordFlushes(work: () => void): string[] {
  const steps: string[] = [];
  const names = new Map<number, string>();
  const open = fs.openSync;
  const flush = fs.fsyncSync;
  const rename = fs.renameSync;
  const link = fs.linkSync;
  const nameOf = (path: fs.PathLike): string => {
    const name = basename(String(path));
    return name.endsWith(".tmp") ? "temporary" : name;
  };
  vi.spyOn(fs, "openSync").mockImplementation((...at) => {
    const file = open(...at);
    names.set(file, nameOf(at[0]));
    return file;
  });
  vi.spyOn(fs, "fsyncSync").mockImplementation((file) => {
    steps.push(`flush ${names.get(file)}`);
    flush(file);
  });
  vi.spyOn(fs, "renameSync").mockImplementation((from, to) => {
    steps.push(`rename ${nameOf(from)} to ${nameOf(to)}`);
    rename(from, to);
  });
  vi.spyOn(fs, "linkSync").mockImplementation((from, to) => {
    steps.push(`link ${nameOf(from)} to ${nameOf(to)}`);
    link(from, to);
  });
  try {
    work();
  } finally {
    vi.restoreAllMocks();
  }
  return steps;
}

describe("durable writes", () => {
  test("a replaced file is flushed before it gets the name, its folder after", () => {
    const folder = temporaryFolder();
    const path = join(folder, "status.json");
    expect(recordFlushes(() => replaceFile(path, "{}"))).toEqual([
      "flush temporary",
      "rename temporary to status.json",
      `flush ${basename(folder)}`,
    ]);
    expect(fs.readFileSync(path, "utf8")).toBe("{}");
  });

  test("a placed file as well, and it never takes a name that is in use", () => {
    const folder = temporaryFolder();
    const path = join(folder, "new");
    expect(recordFlushes(() => placeNewFile(path, "one"))).toEqual([
      "flush temporary",
      "link temporary to new",
      `flush ${basename(folder)}`,
    ]);
    expect(() => placeNewFile(path, "two")).toThrow("EEXIST");
    expect(fs.readFileSync(path, "utf8")).toBe("one");
    expect(fs.readdirSync(folder)).toEqual(["new"]);
  });

  test("where there are no hard links, a placed file is written under its name", () => {
    const path = join(temporaryFolder(), "new");
    const link = vi.spyOn(fs, "linkSync").mockImplementation(() => {
      throw Object.assign(new Error("no links"), { code: "EPERM" });
    });
    try {
      placeNewFile(path, "one");
      expect(() => placeNewFile(path, "two")).toThrow("EEXIST");
    } finally {
      link.mockRestore();
    }
    expect(fs.readFileSync(path, "utf8")).toBe("one");
  });

  test("a disk that takes only a part of a file leaves the old file whole", () => {
    const folder = temporaryFolder();
    const path = join(folder, "status.json");
    replaceFile(path, "old");
    const write = fs.writeSync;
    let calls = 0;
    const spy = vi.spyOn(fs, "writeSync").mockImplementation((file, data) => {
      calls += 1;
      if (calls > 1) throw Object.assign(new Error("disk full"), { code: "ENOSPC" });
      return write(file, Buffer.from(data).subarray(0, 2));
    });
    try {
      expect(() => replaceFile(path, "the new text")).toThrow("disk full");
    } finally {
      spy.mockRestore();
    }
    expect(fs.readFileSync(path, "utf8")).toBe("old");
    expect(fs.readdirSync(folder)).toEqual(["status.json"]);
  });

  test("a new folder is flushed into its parent", () => {
    const folder = temporaryFolder();
    expect(recordFlushes(() => makeFolderBelow(folder, "a/b"))).toEqual([
      `flush ${basename(folder)}`,
      "flush a",
    ]);
    expect(recordFlushes(() => makeFolderBelow(folder, "a/b"))).toEqual([]);
  });
});

test("a long text is written whole, also where a character lies across two pieces", () => {
  const folder = temporaryFolder();
  for (const before of [0, 1, 2]) {
    const text = `${"x".repeat(before)}${"\u{1f600}".repeat(50_000)}\u00e9\ud800`;
    replaceFile(join(folder, "long.txt"), text);
    expect(fs.readFileSync(join(folder, "long.txt")).equals(Buffer.from(text))).toBe(true);
    expect([...toBytes(text)].length).toBeGreaterThan(1);
  }
  replaceFile(join(folder, "empty.txt"), "");
  expect(fs.readFileSync(join(folder, "empty.txt"), "utf8")).toBe("");
});

test("a file over the limit is not read", () => {
  const path = join(temporaryFolder(), "big");
  fs.writeFileSync(path, "12345");
  expect(readRegularFile(path, 5).toString()).toBe("12345");
  expect(() => readRegularFile(path, 4)).toThrow("EFBIG");
});

test("only the system's errors become failures; a mistake of the program stays an exception", () => {
  const at = { doing: "reading", path: "x" };
  const mistake = new TypeError("a bug");
  expect(() =>
    attemptStorage(at, () => {
      throw mistake;
    }),
  ).toThrow(mistake);
  expect(() =>
    unless(["ENOENT"], () => {
      throw mistake;
    }),
  ).toThrow(mistake);
});
