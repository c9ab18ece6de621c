import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { acquireBranchLock, branchLockName } from "../../src/adapters/branch-lock.ts";
import { describeLockRefusal, type LockRefusal } from "../../src/adapters/lock-refusal.ts";
import { ownerPath, readOwner } from "../../src/adapters/owner.ts";
import { thisProcess } from "../../src/adapters/process-identity.ts";
import { acquireRunLock, type RunLock } from "../../src/adapters/run-lock.ts";
import type { Result } from "../../src/core/result.ts";
import { decodeOwner, encodeOwner, type Owner } from "../../src/schema/owner.ts";
import { compile } from "../support/compile.ts";
import type { PuppetCommand } from "../support/lock-puppet.ts";
import { type Puppet, startPuppet } from "../support/puppet.ts";
import { makeTemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

const STARTERS = 50;
const ROUNDS = 8;

let buildFolder = "";
let script = "";
const puppets: Puppet<PuppetCommand>[] = [];

beforeAll(() => {
  buildFolder = makeTemporaryFolder();
  script = compile(new URL("../support/lock-puppet.ts", import.meta.url), buildFolder);
});
afterEach(async () => {
  await Promise.all(puppets.splice(0).map((puppet) => puppet.kill()));
});
afterAll(() => rmSync(buildFolder, { recursive: true, force: true }));

async function newPuppet(): Promise<Puppet<PuppetCommand>> {
  const puppet = await startPuppet<PuppetCommand>(script);
  puppets.push(puppet);
  return puppet;
}

function take(folder: string, token: string): Promise<Result<RunLock, LockRefusal>> {
  return acquireRunLock({ folder, token, toolVersion: "1.2.3", about: 'run "feature-x"' });
}

async function taken(folder: string, token: string): Promise<RunLock> {
  const result = await take(folder, token);
  if (!result.ok) throw new Error(describeLockRefusal(result.failure));
  return result.value;
}

async function refused(folder: string, token: string): Promise<LockRefusal> {
  const result = await take(folder, token);
  if (result.ok) throw new Error("the lock was given");
  return result.failure;
}

function ownerIn(folder: string, token: string): Owner {
  const decoded = decodeOwner(readFileSync(ownerPath(folder, token), "utf8"));
  if (!decoded.ok) throw new Error(decoded.failure);
  return decoded.value;
}

/** What a killed owner leaves: its lock and its file, with what is given changed. */
function leaveOwner(folder: string, token: string, change: Partial<Owner>): void {
  const owner: Owner = {
    ...thisProcess(),
    pid: deadPid(),
    token,
    startedAt: "2026-01-31T12:00:00.000Z",
    toolVersion: "1.2.3",
    about: 'run "feature-x"',
    isHolding: true,
    ...change,
  };
  mkdirSync(join(folder, "lock"));
  writeFileSync(join(folder, "lock", token), "");
  writeFileSync(ownerPath(folder, token), encodeOwner(owner));
}

function deadPid(): number {
  return spawnSync(process.execPath, ["-e", "0"]).pid;
}

describe("taking and giving back", () => {
  test("the owner file says who owns, and release leaves nothing", async () => {
    const folder = temporaryFolder();
    const lock = await taken(folder, "one");
    expect(lock).toMatchObject({ token: "one", takenOverFrom: null });
    expect(lock.isStillOwner()).toBe(true);
    expect(ownerIn(folder, "one")).toMatchObject({ ...thisProcess(), token: "one", isHolding: true });
    expect(readdirSync(folder).toSorted()).toEqual(["lock", "owner-one.json"]);
    expect(readOwner(folder)).toMatchObject({ state: "live", owner: { token: "one" } });
    lock.release();
    lock.release();
    expect(readdirSync(folder)).toEqual([]);
    expect(readOwner(folder)).toEqual({ state: "none", owner: null });
    expect(lock.isStillOwner()).toBe(false);
  });

  test("a live owner is refused, named, and keeps its lock; the refused one leaves nothing", async () => {
    const folder = temporaryFolder();
    const lock = await taken(folder, "one");
    const refusal = await refused(folder, "two");
    expect(refusal).toMatchObject({ kind: "owned", isCertain: true, owner: { token: "one" } });
    expect(describeLockRefusal(refusal)).toContain(`pid ${process.pid} on ${thisProcess().host}`);
    expect(lock.isStillOwner()).toBe(true);
    expect(readdirSync(folder).toSorted()).toEqual(["lock", "owner-one.json"]);
  });

  test("after a release the next one gets it", async () => {
    const folder = temporaryFolder();
    (await taken(folder, "one")).release();
    expect((await taken(folder, "two")).takenOverFrom).toBe(null);
  });

  test("a folder that is not there is told as storage trouble", async () => {
    const path = join(temporaryFolder(), "missing");
    expect(await refused(path, "one")).toMatchObject({ kind: "storage", failure: { code: "ENOENT", path } });
  });
});

describe("a dead owner is taken over", () => {
  test("when its process was killed", async () => {
    const folder = temporaryFolder();
    const puppet = await newPuppet();
    await puppet.tell({ do: "take", folder, token: "first" });
    expect(await refused(folder, "early")).toMatchObject({ kind: "owned", owner: { pid: puppet.pid } });
    await puppet.kill();
    expect(readOwner(folder)).toMatchObject({ state: "gone", owner: { pid: puppet.pid } });
    const lock = await taken(folder, "second");
    expect(lock.takenOverFrom).toContain(`pid ${puppet.pid} on ${thisProcess().host}, started `);
    expect(readdirSync(folder).toSorted()).toEqual(["lock", "owner-second.json"]);
  });

  test("when its pid now belongs to another process", async () => {
    const folder = temporaryFolder();
    leaveOwner(folder, "old", { pid: process.pid, startTime: "another time" });
    expect((await taken(folder, "new")).takenOverFrom).toContain(`pid ${process.pid}`);
  });

  test("when the machine was started again since", async () => {
    const folder = temporaryFolder();
    leaveOwner(folder, "old", { pid: process.pid, bootId: "another boot" });
    expect((await taken(folder, "new")).takenOverFrom).toContain(`pid ${process.pid}`);
  });

  test("when somebody removed the lock folder after its death", async () => {
    const folder = temporaryFolder();
    leaveOwner(folder, "old", { pid: 999_999_999 });
    rmSync(join(folder, "lock"), { recursive: true });
    expect(readOwner(folder).state).toBe("gone");
    expect((await taken(folder, "new")).takenOverFrom).toContain("pid 999999999");
  });

  test("when its own file is missing", async () => {
    const folder = temporaryFolder();
    leaveOwner(folder, "old", {});
    rmSync(ownerPath(folder, "old"));
    expect(readOwner(folder)).toEqual({ state: "gone", owner: null });
    expect((await taken(folder, "new")).takenOverFrom).toBe("an owner without a file (old)");
  });

  test("an empty lock folder is nobody's", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "lock"));
    expect((await taken(folder, "new")).takenOverFrom).toBe(null);
  });

  test("what starters left that died while they competed is removed", async () => {
    const folder = temporaryFolder();
    leaveOwner(folder, "loser", { isHolding: false });
    rmSync(join(folder, "lock"), { recursive: true });
    mkdirSync(join(folder, ".lock-loser"));
    mkdirSync(join(folder, ".lock-nameless"));
    writeFileSync(join(folder, ".owner-half.json.0123456789ab.tmp"), "{");
    expect((await taken(folder, "new")).takenOverFrom).toBe(null);
    expect(readdirSync(folder).toSorted()).toEqual(["lock", "owner-new.json"]);
  });
});

describe("what may be alive is never taken over", () => {
  test("a suspended owner", async () => {
    const folder = temporaryFolder();
    const puppet = await newPuppet();
    await puppet.tell({ do: "take", folder, token: "first" });
    puppet.signal("SIGSTOP");
    expect(await refused(folder, "second")).toMatchObject({ kind: "owned", owner: { pid: puppet.pid } });
  });

  test("an owner on another host, which the refusal names with what to do", async () => {
    const folder = temporaryFolder();
    leaveOwner(folder, "far", { host: "elsewhere" });
    const refusal = await refused(folder, "new");
    expect(refusal).toMatchObject({ kind: "owned", isCertain: false, owner: { host: "elsewhere" } });
    expect(describeLockRefusal(refusal)).toContain(`remove "${ownerPath(folder, "far")}"`);
    rmSync(ownerPath(folder, "far"));
    await taken(folder, "newer");
  });

  test("an owner whose lock folder was removed under it", async () => {
    const folder = temporaryFolder();
    const lock = await taken(folder, "one");
    rmSync(join(folder, "lock"), { recursive: true });
    expect(lock.isStillOwner()).toBe(false);
    expect(readOwner(folder).state).toBe("live");
    expect(await refused(folder, "two")).toMatchObject({ kind: "owned", owner: { token: "one" } });
    expect(readdirSync(folder)).toEqual(["owner-one.json"]);
  });

  test("an owner whose file cannot be read", async () => {
    const folder = temporaryFolder();
    leaveOwner(folder, "odd", {});
    writeFileSync(ownerPath(folder, "odd"), "{}");
    const refusal = await refused(folder, "new");
    expect(refusal).toMatchObject({ kind: "unreadable", file: ownerPath(folder, "odd") });
    expect(describeLockRefusal(refusal)).toContain("pid");
    expect(readOwner(folder)).toEqual({ state: "live", owner: null });
    expect(readdirSync(folder).toSorted()).toEqual(["lock", "owner-odd.json"]);
  });

  test.each([
    ["a file", (path: string) => writeFileSync(path, "")],
    ["a link", (path: string) => symlinkSync(temporaryFolder(), path)],
    [
      "a folder with something else in it",
      (path: string) => {
        mkdirSync(path);
        writeFileSync(join(path, "some file"), "");
      },
    ],
  ])("a lock that is %s is refused and left alone", async (_, make) => {
    const folder = temporaryFolder();
    const path = join(folder, "lock");
    make(path);
    const refusal = await refused(folder, "new");
    expect(refusal).toMatchObject({ kind: "unusable", path });
    expect(describeLockRefusal(refusal)).toContain(path);
    expect(readdirSync(folder)).toEqual(["lock"]);
  });
});

test(`of ${STARTERS} programs at once on a dead owner exactly one gets the lock, ${ROUNDS} times`, async () => {
  const all = await Promise.all(Array.from({ length: STARTERS }, newPuppet));
  const pid = deadPid();
  for (let round = 0; round < ROUNDS; round += 1) {
    const folder = temporaryFolder();
    leaveOwner(folder, "dead", { pid });
    leaveRefuse(folder, pid);
    const answers = await Promise.all(
      all.map((puppet, index) => puppet.tell({ do: "take", folder, token: `r${round}-s${index}` })),
    );
    const winners = answers.flatMap((answer, index) => (isWin(answer) ? [`r${round}-s${index}`] : []));
    expect(winners).toHaveLength(1);
    expect(answers.filter((answer) => !isWin(answer))).toEqual(
      Array.from({ length: STARTERS - 1 }, () => ({
        won: false,
        refusal: expect.objectContaining({ kind: "owned", isCertain: true }),
      })),
    );
    expect(readdirSync(folder).toSorted()).toEqual(["lock", `owner-${winners[0]}.json`]);
    await Promise.all(all.map((puppet) => puppet.tell({ do: "release" })));
    expect(readdirSync(folder)).toEqual([]);
  }
}, 120_000);

/** Beside the dead owner: dead competitors, which must not be mistaken for it. */
function leaveRefuse(folder: string, pid: number): void {
  for (const token of ["also-dead", "dead-too"]) {
    const owner = { ...ownerIn(folder, "dead"), token, pid, isHolding: false };
    writeFileSync(ownerPath(folder, token), encodeOwner(owner));
  }
}

function isWin(answer: unknown): boolean {
  return typeof answer === "object" && answer !== null && "won" in answer && answer.won === true;
}

describe("the lock on a branch", () => {
  const about = { toolVersion: "1.2.3", about: 'run "other" in /elsewhere' };

  test("keeps a second run off the branch and leaves nothing after release", async () => {
    const commonGitDir = temporaryFolder();
    const branch = "feature/x";
    const first = await acquireBranchLock({ ...about, commonGitDir, branch, token: "one" });
    const second = await acquireBranchLock({ ...about, commonGitDir, branch, token: "two" });
    const other = await acquireBranchLock({ ...about, commonGitDir, branch: "feature/y", token: "three" });
    expect(first.ok && other.ok).toBe(true);
    expect(second).toMatchObject({ ok: false, failure: { kind: "owned", owner: { about: about.about } } });
    if (first.ok) first.value.release();
    expect(existsSync(join(commonGitDir, branchLockName(branch)))).toBe(false);
    expect((await acquireBranchLock({ ...about, commonGitDir, branch, token: "four" })).ok).toBe(true);
  });

  test("holds against another program, and ends with it", async () => {
    const folder = temporaryFolder();
    const puppet = await newPuppet();
    expect(await puppet.tell({ do: "take branch", folder, branch: "main", token: "p" })).toMatchObject({
      won: true,
    });
    const mine = { ...about, commonGitDir: folder, branch: "main" };
    expect((await acquireBranchLock({ ...mine, token: "a" })).ok).toBe(false);
    await puppet.kill();
    expect(await acquireBranchLock({ ...mine, token: "b" })).toMatchObject({
      ok: true,
      value: { takenOverFrom: expect.stringContaining(`pid ${puppet.pid}`) },
    });
  });

  test("is taken and released by many at once without an error", async () => {
    const folder = temporaryFolder();
    const all = await Promise.all(Array.from({ length: 6 }, newPuppet));
    let wins = 0;
    await Promise.all(
      all.map(async (puppet, index) => {
        for (let round = 0; round < 30; round += 1) {
          const token = `p${index}-${round}`;
          const answer = await puppet.tell({ do: "take branch", folder, branch: "main", token });
          if (isWin(answer)) wins += 1;
          else expect(answer).toMatchObject({ won: false, refusal: { kind: "owned" } });
          await puppet.tell({ do: "release" });
        }
      }),
    );
    expect(wins).toBeGreaterThan(0);
    expect(existsSync(join(folder, branchLockName("main")))).toBe(false);
  });

  test("has a folder of its own for each branch, whatever its name", () => {
    const names = ["a/b", "a%2fb", "a-b", "A/b", ".a", "ä", `${"x".repeat(300)}1`, `${"x".repeat(300)}2`];
    const folders = names.map(branchLockName);
    expect(new Set(folders.map((each) => each.toLowerCase())).size).toBe(names.length);
    for (const each of folders) {
      expect(each).toMatch(/^execute-prd\/branches\/[a-z0-9%_~-]{1,200}$/);
    }
  });
});
