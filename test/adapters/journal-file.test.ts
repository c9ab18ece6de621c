import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs, {
  appendFileSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  createJournal,
  describeJournalRefusal,
  type JournalRefusal,
  type OpenJournal,
  openJournal,
  readJournal,
} from "../../src/adapters/journal-file.ts";
import type { Failure } from "../../src/core/failure.ts";
import type { RunId, Slug } from "../../src/core/ids.ts";
import type { Result } from "../../src/core/result.ts";
import { journalConformance, told } from "../conformance/journal.ts";
import { compile } from "../support/compile.ts";
import { makeTemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

const run = { runId: "20260131T120000Z-3fa9c1" as RunId, slug: "feature-x" as Slug }; // by their form they are
const writer = { session: "s1", isOwner: () => true };

function open(result: Result<OpenJournal, Failure | JournalRefusal>): OpenJournal {
  if (!result.ok) throw new Error(JSON.stringify(result.failure));
  return result.value;
}

function journalIn(folder: string): string {
  return join(folder, "execution.log.jsonl");
}

/** A folder with a journal of that many entries, closed. */
async function folderWith(entries: number): Promise<string> {
  const folder = temporaryFolder();
  const { journal, close } = open(createJournal({ ...run, ...writer, folder }));
  for (let number = 1; number <= entries; number += 1) await journal.append(told(`${number} ä`), number);
  close();
  return folder;
}

describe("the journal as a file", () => {
  journalConformance(async () => {
    const folder = temporaryFolder();
    let isOwner = true;
    const opened = open(createJournal({ ...run, folder, session: "s1", isOwner: () => isOwner }));
    return {
      session: "s1",
      journal: opened.journal,
      read: async () => {
        const found = readJournal({ folder });
        return found.ok ? found.value.entries : [];
      },
      loseOwnership: async () => {
        isOwner = false;
      },
      writeFromElsewhere: async () => appendFileSync(journalIn(folder), "x"),
    };
  });
});

describe("starting and opening", () => {
  test("a new journal has its header and nothing beside it", () => {
    const folder = temporaryFolder();
    const opened = open(createJournal({ ...run, ...writer, folder }));
    expect(opened).toMatchObject({ header: run, entries: [], tornBytes: 0 });
    expect(readdirSync(folder)).toEqual(["execution.log.jsonl"]);
    expect(readFileSync(journalIn(folder), "utf8")).toMatch(/^\{"format":"execute-prd-journal".*\}\n$/);
  });

  test("a journal that is there is never started anew", async () => {
    const folder = await folderWith(1);
    const before = readFileSync(journalIn(folder));
    expect(createJournal({ ...run, ...writer, folder })).toMatchObject({ failure: { code: "EEXIST" } });
    expect(readFileSync(journalIn(folder))).toEqual(before);
    expect(readdirSync(folder)).toEqual(["execution.log.jsonl"]);
  });

  test("an opened journal goes on where the last one ended, under its own session", async () => {
    const folder = await folderWith(2);
    const opened = open(openJournal({ ...writer, folder, session: "s2" }));
    expect(opened.entries).toHaveLength(2);
    expect(await opened.journal.append(told("three"), 3)).toMatchObject({ value: { seq: 3, session: "s2" } });
    expect(readJournal({ folder })).toMatchObject({ ok: true, value: { tornBytes: 0 } });
  });

  test("no journal is told as such", () => {
    const missing = { ok: false, failure: { reason: "storage-failed", code: "ENOENT" } };
    expect(readJournal({ folder: temporaryFolder() })).toMatchObject(missing);
    expect(openJournal({ ...writer, folder: temporaryFolder() })).toMatchObject(missing);
  });

  test("a link or a pipe in its place is refused at once", async () => {
    const [linked, piped] = [temporaryFolder(), temporaryFolder()];
    symlinkSync(journalIn(await folderWith(1)), journalIn(linked));
    spawnSync("mkfifo", [journalIn(piped)]);
    expect(openJournal({ ...writer, folder: linked })).toMatchObject({ failure: { code: "ELOOP" } });
    expect(openJournal({ ...writer, folder: piped })).toMatchObject({ failure: { code: "EFTYPE" } });
  });

  test("a closed journal takes nothing more", async () => {
    const opened = open(openJournal({ ...writer, folder: await folderWith(1) }));
    opened.close();
    opened.close();
    expect(await opened.journal.append(told("x"), 1)).toMatchObject({
      failure: { reason: "storage-failed" },
    });
  });
});

describe("a torn last line", () => {
  test("cut at any byte: the lines before it stay, the rest is kept in salvage", async () => {
    const whole = readFileSync(journalIn(await folderWith(3)));
    const secondEnds = whole.lastIndexOf(0x0a, whole.length - 2) + 1;
    for (let length = secondEnds + 1; length < whole.length - 1; length += 1) {
      const folder = temporaryFolder();
      writeFileSync(journalIn(folder), whole.subarray(0, length));
      const opened = open(openJournal({ ...writer, folder }));
      expect(opened.tornBytes).toBe(length - secondEnds);
      expect(opened.entries).toHaveLength(2);
      const [name = "", ...others] = readdirSync(join(folder, "salvage"));
      expect([name, others]).toEqual([expect.stringMatching(/^journal-tail-.+\.bin$/), []]);
      expect(readFileSync(join(folder, "salvage", name))).toEqual(whole.subarray(secondEnds, length));
      expect(readFileSync(journalIn(folder))).toEqual(whole.subarray(0, secondEnds));
      expect(await opened.journal.append(told("again"), 4)).toMatchObject({ value: { seq: 3 } });
      opened.close();
      expect(open(openJournal({ ...writer, folder }))).toMatchObject({
        tornBytes: 0,
        entries: { length: 3 },
      });
    }
  });

  test("that lacks only its newline is whole: nothing is dropped, and the next line follows on its own", async () => {
    const folder = await folderWith(2);
    truncateSync(journalIn(folder), statSync(journalIn(folder)).size - 1);
    const opened = open(openJournal({ ...writer, folder }));
    expect(opened).toMatchObject({ tornBytes: 0, entries: { length: 2 } });
    await opened.journal.append(told("three"), 3);
    expect(readJournal({ folder })).toMatchObject({ value: { entries: { length: 3 }, needsNewline: false } });
    expect(readdirSync(folder)).toEqual(["execution.log.jsonl"]);
  });

  test("is only counted by a reader, which changes nothing", async () => {
    const folder = await folderWith(2);
    appendFileSync(journalIn(folder), `{"seq":3`);
    const before = readFileSync(journalIn(folder));
    expect(readJournal({ folder })).toMatchObject({
      ok: true,
      value: { tornBytes: 8, entries: { length: 2 } },
    });
    expect(readFileSync(journalIn(folder))).toEqual(before);
    expect(readdirSync(folder)).toEqual(["execution.log.jsonl"]);
  });
});

test("any other bad line stops the start: it is named, and the file is left as it is", async () => {
  const folder = await folderWith(3);
  const damaged = readFileSync(journalIn(folder), "utf8").replace("2 ä", "2 ö");
  writeFileSync(journalIn(folder), damaged);
  const opened = openJournal({ ...writer, folder });
  expect(opened).toMatchObject({
    ok: false,
    failure: { reason: "journal-refused", file: journalIn(folder), line: 3 },
  });
  if (!opened.ok && opened.failure.reason === "journal-refused") {
    expect(describeJournalRefusal(opened.failure)).toContain(
      `"${journalIn(folder)}" cannot be used: line 3: `,
    );
  }
  expect(readFileSync(journalIn(folder), "utf8")).toBe(damaged);
  expect(readdirSync(folder)).toEqual(["execution.log.jsonl"]);
});

describe("another program's hands on the file", () => {
  const changed = { ok: false, failure: { reason: "journal-not-ours" } };

  test.each<[string, (path: string) => void]>([
    ["cut", (path) => truncateSync(path, 10)],
    ["removed", (path) => rmSync(path)],
    ["moved", (path) => renameSync(path, `${path}.old`)],
    [
      "replaced by a copy",
      (path) => {
        copyFileSync(path, `${path}.copy`);
        renameSync(`${path}.copy`, path);
      },
    ],
    [
      "replaced by a link to itself",
      (path) => {
        renameSync(path, `${path}.old`);
        symlinkSync(`${path}.old`, path);
      },
    ],
  ])("a journal that was %s is not written to again", async (_, change) => {
    const folder = temporaryFolder();
    const { journal } = open(createJournal({ ...run, ...writer, folder }));
    await journal.append(told("one"), 1);
    change(journalIn(folder));
    const before = fs.existsSync(journalIn(folder)) ? readFileSync(journalIn(folder)) : null;
    expect(await journal.append(told("two"), 2)).toMatchObject(changed);
    expect(fs.existsSync(journalIn(folder)) ? readFileSync(journalIn(folder)) : null).toEqual(before);
  });
});

describe("a disk that does not take a line", () => {
  let buildFolder = "";
  let script = "";
  beforeAll(() => {
    buildFolder = makeTemporaryFolder();
    script = compile(new URL("../support/journal-puppet.ts", import.meta.url), buildFolder);
  });
  afterAll(() => rmSync(buildFolder, { recursive: true, force: true }));

  test("each line is flushed after it was written; a failed flush is not tried again", async () => {
    const folder = temporaryFolder();
    const { journal } = open(createJournal({ ...run, ...writer, folder }));
    const sizes: number[] = [];
    const flush = vi.spyOn(fs, "fdatasyncSync").mockImplementation((file) => {
      sizes.push(fs.fstatSync(file).size);
      if (sizes.length === 2) throw Object.assign(new Error("broken disk"), { code: "EIO" });
    });
    try {
      expect(await journal.append(told("one"), 1)).toMatchObject({ ok: true });
      expect(sizes).toEqual([statSync(journalIn(folder)).size]);
      const broken = {
        reason: "storage-failed",
        doing: "appending to the journal",
        path: journalIn(folder),
        code: "EIO",
      };
      expect(await journal.append(told("two"), 2)).toEqual({ ok: false, failure: broken });
      expect(await journal.append(told("three"), 3)).toEqual({ ok: false, failure: broken });
      expect(sizes).toHaveLength(2);
    } finally {
      flush.mockRestore();
    }
  });

  test("that is full takes a part: the append fails, and the next start cuts it off", () => {
    const folder = temporaryFolder();
    // No file of this shell may grow beyond 4 KiB (8 blocks of 512 bytes); the last write then is a short one.
    const limited = `trap '' XFSZ; ulimit -f 8; exec "$0" "$@"`;
    const { stdout } = spawnSync("sh", ["-c", limited, process.execPath, script, folder], {
      encoding: "utf8",
    });
    const answers = stdout.trim().split("\n");
    const failure = {
      ok: false,
      failure: expect.objectContaining({ reason: "storage-failed", code: "EFBIG" }),
    };
    expect(answers.slice(-2).map((line) => JSON.parse(line))).toEqual([failure, failure]);
    expect(statSync(journalIn(folder)).size % 512).toBe(0);
    const opened = open(openJournal({ ...writer, folder }));
    expect(opened.tornBytes).toBeGreaterThan(0);
    expect(opened.entries).toHaveLength(answers.length - 2);
  });

  test("a killed program's acknowledged entries are all there", async () => {
    const folder = temporaryFolder();
    const child = spawn(process.execPath, [script, folder], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(child, "close");
    let acknowledged = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged = JSON.parse(line).seq;
      if (acknowledged === 40) child.kill("SIGKILL");
    }
    await ended;
    const { entries } = open(openJournal({ ...writer, folder }));
    expect(acknowledged).toBeGreaterThanOrEqual(40);
    expect(entries.length).toBeGreaterThanOrEqual(acknowledged);
    expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index + 1));
  });
});
