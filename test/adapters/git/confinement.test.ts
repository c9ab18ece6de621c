// What happens beside a lane during a dispatch, to what is the builder's: checkouts, branches, tags, stash, worktrees.
// What is proved to be the dispatch's fails the attempt, what may be the builder's own is only told as a doubt.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { GitRepository } from "../../../src/adapters/git/repository.ts";
import { limits } from "../../../src/core/limits.ts";
import {
  agent,
  never,
  type RepositoryFixture,
  refPrefix,
  repositoryFixture,
  textOf,
  toValue,
} from "../../support/git-fixture.ts";

const lane = 1;
const nothing = { violations: [], notes: [], doubts: [] };

type Begun = RepositoryFixture & { base: string; path: string };

/** A lane in which a dispatch is about to begin. `before` is what the builder did before it. */
async function begin(before: (at: RepositoryFixture) => void = () => undefined) {
  const at = repositoryFixture({ "a.txt": "a\n", "src/b.txt": "b\n", ".gitignore": "*.log\nout/\n" });
  const base = at.head();
  before(at);
  toValue(await at.repository.holdBranch({ branch: "feature/x", head: base, create: true }));
  const ready = await at.repository.prepareWork({ lane, base, start: base, setup: "" }, never);
  const { path } = toValue(ready);
  toValue(await at.repository.beforeDispatch({ lane, dispatch: "d1" }));
  return { ...at, base, path };
}

async function end(at: { repository: GitRepository }) {
  return toValue(await at.repository.afterDispatch({ lane, refPrefix }));
}

const short = (sha: string): string => sha.slice(0, 7);

describe("the main checkout", () => {
  const edits: readonly { what: string; edit: (at: Begun) => void; doubts: readonly string[] }[] = [
    {
      what: "a changed file",
      edit: (at) => at.write({ "a.txt": "A\n" }),
      doubts: ["files of the main checkout changed: a.txt (changed)"],
    },
    {
      what: "a file changed behind its times",
      edit: (at) => {
        const file = join(at.checkout, "a.txt");
        at.write({ "a.txt": "A\n" });
        utimesSync(file, 1_000_000_000, 1_000_000_000);
      },
      doubts: ["files of the main checkout changed: a.txt (changed)"],
    },
    {
      what: "a new file in a folder, and one in a new folder",
      edit: (at) => at.write({ "src/new.txt": "n\n", "deep/er/new.txt": "n\n" }),
      doubts: ["files of the main checkout changed: deep/er/new.txt (added), src/new.txt (added)"],
    },
    {
      what: "a removed file",
      edit: (at) => unlinkSync(join(at.checkout, "src", "b.txt")),
      doubts: ["files of the main checkout changed: src/b.txt (removed)"],
    },
    {
      what: "a file made executable",
      edit: (at) => chmodSync(join(at.checkout, "a.txt"), 0o755),
      doubts: ["files of the main checkout changed: a.txt (changed)"],
    },
    {
      what: "a file replaced by a link",
      edit: (at) => {
        unlinkSync(join(at.checkout, "a.txt"));
        symlinkSync("src/b.txt", join(at.checkout, "a.txt"));
      },
      doubts: ["files of the main checkout changed: a.txt (changed)"],
    },
    {
      what: "a file that git is told to take for unchanged, and changed",
      edit: (at) => {
        at.git(["update-index", "--assume-unchanged", "a.txt"]);
        at.write({ "a.txt": "A\n" });
      },
      doubts: [
        "files of the main checkout changed: a.txt (changed)",
        "the index of the main checkout changed: a.txt",
      ],
    },
    {
      what: "a staged change",
      edit: (at) => {
        at.write({ "a.txt": "A\n" });
        at.git(["add", "a.txt"]);
      },
      doubts: [
        "files of the main checkout changed: a.txt (changed)",
        "the index of the main checkout changed: a.txt",
      ],
    },
    {
      what: "another branch",
      edit: (at) => at.git(["switch", "-q", "other"]),
      doubts: [`the main checkout was switched from "main" to "other"`],
    },
    {
      what: "a detached HEAD",
      edit: (at) => at.git(["switch", "-q", "--detach"]),
      doubts: [expect.stringMatching(/^the main checkout was switched from "main" to [0-9a-f]{7}$/)],
    },
    {
      what: "an index that git cannot read",
      edit: (at) => writeFileSync(join(at.commonDir, "index"), "rubbish"),
      doubts: ["git cannot read the main checkout any more"],
    },
  ];

  test.each(edits)("$what is a doubt, and stays", async ({ edit, doubts }) => {
    const at = await begin((fixture) => fixture.git(["branch", "other"]));
    edit(at);
    const files = ["a.txt", "src/b.txt"].map((name) => textOf(join(at.checkout, name)));
    expect(await end(at)).toEqual({ ...nothing, doubts });
    expect(["a.txt", "src/b.txt"].map((name) => textOf(join(at.checkout, name)))).toEqual(files);
  });

  const innocent: readonly { what: string; act: (at: Begun) => void }[] = [
    { what: "git status and its refreshed index", act: (at) => at.git(["status"]) },
    { what: "a touched file", act: (at) => at.write({ "a.txt": "a\n" }) },
    {
      what: "files that git ignores",
      act: (at) => at.write({ "x.log": "x", "src/y.log": "y", "out/z": "z", "out/deep/z": "z" }),
    },
    { what: "an empty folder", act: (at) => mkdirSync(join(at.checkout, "empty")) },
    { what: "a fetch", act: (at) => fetchInto(at) },
    {
      what: "housekeeping",
      act: (at) => {
        at.git(["gc", "--quiet", "--prune=now"]);
        at.git(["pack-refs", "--all"]);
      },
    },
    {
      what: "a switch to another branch and back",
      act: (at) => {
        at.git(["switch", "-q", "other"]);
        at.git(["switch", "-q", "main"]);
      },
    },
    {
      what: "a change that is taken back",
      act: (at) => {
        at.write({ "a.txt": "A\n" });
        at.git(["checkout", "-q", "a.txt"]);
      },
    },
  ];

  test.each(innocent)("$what is nothing", async ({ act }) => {
    const at = await begin((fixture) => {
      fixture.git(["branch", "other"]);
      fixture.write({ "edited.txt": "mine\n", "a.txt": "a\n" });
    });
    act(at);
    expect(await end(at)).toEqual(nothing);
  });

  test("what was changed before the dispatch or between two is not the later one's", async () => {
    const at = await begin((fixture) => fixture.write({ "a.txt": "mine\n", "new.txt": "mine\n" }));
    expect(await end(at)).toEqual(nothing);
    at.write({ "a.txt": "mine again\n", "newer.txt": "mine\n" });
    at.git(["add", "new.txt"]);
    toValue(await at.repository.beforeDispatch({ lane, dispatch: "d2" }));
    expect(await end(at)).toEqual(nothing);
  });

  test("work of the builder that is not committed is watched too", async () => {
    const at = await begin((fixture) => fixture.write({ "a.txt": "mine\n", "new.txt": "mine\n" }));
    at.write({ "a.txt": "lost\n", "new.txt": "lost\n" });
    const { doubts } = await end(at);
    expect(doubts).toEqual(["files of the main checkout changed: a.txt (changed), new.txt (changed)"]);
  });

  test("the run's own folder in it is not looked at", async () => {
    const fixture = repositoryFixture();
    const runFolder = join(fixture.checkout, "dev", "executions", "plan");
    mkdirSync(runFolder, { recursive: true });
    const { createRepository } = await import("../../../src/adapters/git/repository.ts");
    const repository = createRepository({ ...fixture.options, runFolder });
    const base = fixture.head();
    toValue(await repository.prepareWork({ lane, base, start: base, setup: "" }, never));
    toValue(await repository.beforeDispatch({ lane, dispatch: "d1" }));
    fixture.write({ "status.json": "{}", "../other/status.json": "{}" }, runFolder);
    expect(await end({ repository })).toEqual(nothing);
  });

  test("many changes are counted, some named", async () => {
    const at = await begin();
    for (let k = 10; k < 50; k++) at.write({ [`new-${k}.txt`]: "n\n" });
    const [doubt] = (await end(at)).doubts;
    expect(doubt).toMatch(/^files of the main checkout changed: new-10\.txt \(added\), /);
    expect(doubt).toContain(` and ${40 - limits.pathsNamed} more`);
  });

  test("file names need not be UTF-8", async () => {
    const at = await begin();
    writeFileSync(Buffer.concat([Buffer.from(`${at.checkout}/`), Buffer.from([0xe4, 0x20, 0x6e])]), "x");
    expect((await end(at)).doubts).toHaveLength(1);
  });

  test("as long as nothing moves, git is not asked", async () => {
    const at = await begin((fixture) => fixture.write({ "new.txt": "mine\n" }));
    const { lookAtCheckout } = await import("../../../src/adapters/git/checkout-look.ts");
    const place = { name: "it", path: at.checkout, gitDir: at.commonDir };
    const cache = new Map();
    const first = toValue(await lookAtCheckout(place, cache));
    const path = process.env["PATH"];
    process.env["PATH"] = at.folder;
    try {
      expect(toValue(await lookAtCheckout(place, cache))).toBe(first);
      at.write({ "src/b.txt": "B\n" });
      expect((await lookAtCheckout(place, cache)).ok).toBe(false);
    } finally {
      process.env["PATH"] = path;
    }
  });

  test("a run that was started in another worktree has that one watched as well", async () => {
    const fixture = repositoryFixture();
    const second = join(fixture.folder, "second");
    fixture.git(["worktree", "add", "-q", "-b", "second", second]);
    const { createRepository } = await import("../../../src/adapters/git/repository.ts");
    const repository = createRepository({ ...fixture.options, checkout: second });
    const base = fixture.head();
    toValue(await repository.prepareWork({ lane, base, start: base, setup: "" }, never));
    toValue(await repository.beforeDispatch({ lane, dispatch: "d1" }));
    fixture.write({ "README.md": "changed\n" }, second);
    fixture.write({ "README.md": "changed\n" });
    expect((await end({ repository })).doubts).toEqual([
      "files of the main checkout changed: README.md (changed)",
      `files of checkout "${second}" changed: README.md (changed)`,
    ]);
  });
});

function fetchInto(at: Begun): void {
  const other = join(at.folder, "other");
  at.git(["clone", "-q", at.checkout, other]);
  at.git(["commit", "-q", "--allow-empty", "-m", "theirs"], { cwd: other });
  at.git(["fetch", "-q", other, "main:refs/remotes/origin/main"]);
}

describe("HEAD and branches", () => {
  test("a commit in the main checkout by the dispatch is named, and nothing of it undone", async () => {
    const at = await begin();
    at.write({ "a.txt": "agent\n" });
    at.git(["commit", "-qam", "mine"], { env: agent });
    const commit = at.head();
    const { violations } = await end(at);
    expect(violations.toSorted()).toEqual([
      `"refs/heads/main" was moved from ${at.base} to ${commit}`,
      `HEAD of the main checkout was moved from ${at.base} to ${commit}`,
    ]);
    expect(at.head("main")).toBe(commit);
    expect(at.git(["status", "--porcelain"])).toBe("");
  });

  test("a checked out branch that the dispatch moved from afar is put back, the checkout is as it was", async () => {
    const at = await begin((fixture) => {
      fixture.write({ "a.txt": "staged\n" });
      fixture.git(["add", "a.txt"]);
      fixture.write({ "a.txt": "edited\n" });
    });
    const status = at.git(["status", "--porcelain"]);
    at.git(["commit", "-q", "--allow-empty", "-m", "mine"], { cwd: at.path, env: agent });
    const commit = at.head("HEAD");
    const theirs = at.git(["rev-parse", "HEAD"], { cwd: at.path });
    at.git(["update-ref", "refs/heads/main", theirs], { cwd: at.path, env: agent });
    expect((await end(at)).violations).toEqual([
      `"refs/heads/main" was moved from ${commit} to ${theirs} and put back`,
    ]);
    expect(at.head("main")).toBe(at.base);
    expect(at.git(["status", "--porcelain"])).toBe(status);
    expect(at.head(`${refPrefix}/foreign-1`)).toBe(theirs);
  });

  test("a branch on which the builder worked too is named and left", async () => {
    const at = await begin();
    at.git(["commit", "-q", "--allow-empty", "-m", "builder's"]);
    at.git(["commit", "-q", "--allow-empty", "-m", "mine"], { env: agent });
    const head = at.head();
    const { violations } = await end(at);
    expect(violations).toContainEqual(`"refs/heads/main" was moved from ${at.base} to ${head}`);
    expect(at.head("main")).toBe(head);
  });

  test("a reset of the main checkout by the dispatch is proved by its reflog", async () => {
    const at = await begin((fixture) => fixture.write({ "a.txt": "mine\n" }));
    at.git(["reset", "-q", "--hard"], { env: agent });
    const { violations, doubts } = await end(at);
    expect(violations).toEqual([
      `HEAD of the main checkout was set anew at ${at.base} (reset: moving to HEAD)`,
    ]);
    expect(doubts).toEqual(["files of the main checkout changed: a.txt (changed)"]);
  });

  test("the builder's commit is a doubt with both ends, and stays", async () => {
    const at = await begin();
    const commit = at.commit({ "a.txt": "builder\n" });
    expect(await end(at)).toEqual({
      ...nothing,
      doubts: [
        "files of the main checkout changed: a.txt (changed)",
        "the index of the main checkout changed: a.txt",
        `"refs/heads/main" was moved from ${at.base} to ${commit}`,
      ],
    });
    expect(at.head()).toBe(commit);
  });

  test("a deleted branch and tag are a doubt, their commits kept", async () => {
    const at = await begin((fixture) => {
      fixture.git(["switch", "-q", "-c", "other"]);
      fixture.commit({ "other.txt": "o\n" });
      fixture.git(["tag", "v1"]);
      fixture.git(["switch", "-q", "main"]);
    });
    const was = at.head("other");
    at.git(["branch", "-q", "-D", "other"]);
    at.git(["tag", "-d", "v1"]);
    const { violations, doubts } = await end(at);
    expect(violations).toEqual([]);
    expect(doubts).toEqual([
      `"refs/heads/other" (${short(was)}) was deleted; its commit is kept as "${refPrefix}/lost-1"`,
      `"refs/tags/v1" (${short(was)}) was deleted; its commit is kept as "${refPrefix}/lost-2"`,
    ]);
    expect(at.head(`${refPrefix}/lost-1`)).toBe(was);
  });

  test("a branch that the dispatch renamed gets its name back", async () => {
    const at = await begin((fixture) => fixture.git(["branch", "other"]));
    at.git(["branch", "-m", "other", "stolen"], { cwd: at.path, env: agent });
    const { violations, doubts } = await end(at);
    expect(violations).toEqual([`"refs/heads/other" was renamed to "refs/heads/stolen" and put back`]);
    expect(doubts).toEqual([]);
    expect(at.head("other")).toBe(at.base);
    expect(at.git(["branch", "--list", "stolen"])).toBe("");
  });

  test("a tag that the dispatch moved to a commit of its own is put back; one moved elsewhere is a doubt", async () => {
    const at = await begin((fixture) => {
      fixture.git(["tag", "v1"]);
      fixture.git(["tag", "v2"]);
    });
    at.git(["commit", "-q", "--allow-empty", "-m", "mine"], { cwd: at.path, env: agent });
    const theirs = at.git(["rev-parse", "HEAD"], { cwd: at.path });
    at.git(["tag", "-f", "v1"], { cwd: at.path, env: agent });
    const tree = at.git(["commit-tree", "-m", "other", "HEAD^{tree}"]);
    at.git(["tag", "-f", "v2", tree]);
    const { violations, doubts } = await end(at);
    expect(violations).toEqual([`"refs/tags/v1" was moved from ${at.base} to ${theirs} and put back`]);
    expect(doubts).toEqual([`"refs/tags/v2" was moved from ${at.base} to ${tree}`]);
    expect(at.head("v1")).toBe(at.base);
    expect(at.head("v2")).toBe(tree);
  });

  test("the branch of another run moves without a word", async () => {
    const at = await begin((fixture) => {
      const holder = join(fixture.folder, "other-run", "holder");
      const reason = "execute-prd run other (20260102T030405Z-ffffff)";
      fixture.git(["branch", "feature/other"]);
      const add = ["worktree", "add", "-q", "--no-checkout", "--lock", "--reason", reason];
      fixture.git([...add, holder, "feature/other"]);
    });
    const next = at.git(["commit-tree", "-p", at.base, "-m", "next", `${at.base}^{tree}`]);
    at.git(["update-ref", "refs/heads/feature/other", next]);
    expect(await end(at)).toEqual(nothing);
  });
});

describe("the lane", () => {
  test("switched to a branch of the builder fails the attempt, also without a commit there", async () => {
    const at = await begin((fixture) => fixture.git(["branch", "other"]));
    at.git(["switch", "-q", "other"], { cwd: at.path, env: agent });
    expect((await end(at)).violations).toEqual([`the lane was switched to "refs/heads/other"`]);
  });

  test("switched there and back is nothing", async () => {
    const at = await begin((fixture) => fixture.git(["branch", "other"]));
    at.git(["switch", "-q", "other"], { cwd: at.path, env: agent });
    at.git(["switch", "-q", "--detach", at.base], { cwd: at.path, env: agent });
    expect(await end(at)).toEqual(nothing);
  });

  test("taken out of git's books fails the attempt; the next one gets another", async () => {
    const at = await begin();
    at.git(["worktree", "unlock", at.path], { env: agent });
    at.git(["worktree", "remove", "--force", at.path], { env: agent });
    expect((await end(at)).violations).not.toEqual([]);
    const { repository, base } = at;
    await repository.salvageWork({ lane, base: at.head(), start: at.head(), refPrefix });
    const again = await repository.prepareWork({ lane, base: at.head(), start: at.head(), setup: "" }, never);
    expect(readFileSync(join(toValue(again).path, "a.txt"), "utf8")).toBe("a\n");
    expect(base).toBe(at.head());
  });

  test("the worktree that holds the run's branch is made again when it was taken away", async () => {
    const at = await begin();
    const holder = join(at.runRoot, "holder");
    at.git(["worktree", "unlock", holder], { env: agent });
    at.git(["worktree", "remove", "--force", holder], { env: agent });
    expect((await end(at)).violations).toEqual([
      `the worktree that holds branch "feature/x" was changed and put back`,
    ]);
    expect(() => at.git(["switch", "-q", "feature/x"])).toThrow(/already/);
  });
});

describe("the stash", () => {
  test("an entry that the dispatch made of the builder's changes stays, and fails the attempt", async () => {
    const at = await begin((fixture) => fixture.write({ "a.txt": "mine\n" }));
    at.git(["stash", "-q"], { env: agent });
    const { violations, notes } = await end(at);
    expect(violations).toContainEqual(
      expect.stringMatching(/^the builder's changes were stashed \("WIP on main/),
    );
    expect(notes).toEqual([]);
    at.git(["stash", "pop", "-q"]);
    expect(readFileSync(join(at.checkout, "a.txt"), "utf8")).toBe("mine\n");
  });

  test("the builder's new entry is a doubt, and stays", async () => {
    const at = await begin((fixture) => fixture.write({ "a.txt": "mine\n" }));
    at.git(["stash", "push", "-q", "-m", "for later"]);
    expect((await end(at)).doubts).toEqual([
      "files of the main checkout changed: a.txt (changed)",
      `a stash entry was made ("On main: for later")`,
    ]);
    expect(at.git(["stash", "list", "--format=%gs"])).toBe("On main: for later");
  });

  test("entries that are gone are a doubt, and kept", async () => {
    const at = await begin((fixture) => {
      for (const name of ["one", "two", "three"]) {
        fixture.write({ "a.txt": `${name}\n` });
        fixture.git(["stash", "push", "-q", "-m", name]);
      }
    });
    const two = at.git(["rev-parse", "stash@{1}"]);
    at.git(["stash", "drop", "-q", "stash@{1}"]);
    expect((await end(at)).doubts).toEqual([
      `the stash entry "On main: two" is gone; it is kept as "${refPrefix}/lost/stash-${short(two)}"`,
    ]);
    expect(at.git(["stash", "list", "--format=%gs"])).toBe("On main: three\nOn main: one");
    expect(at.git(["show", `${refPrefix}/lost/stash-${short(two)}:a.txt`])).toBe("two");
  });

  test("a cleared stash is kept, entry by entry; one that is pruned already is only told", async () => {
    const cleared = async (args: readonly string[]) => {
      const at = await begin((fixture) => {
        fixture.write({ "a.txt": "mine\n" });
        fixture.git(["stash", "-q"]);
      });
      at.git(["stash", "clear"], { cwd: at.path, env: agent });
      at.git(args);
      return (await end(at)).doubts;
    };
    const gone = /^the stash entry "WIP on main: .*" is gone/;
    expect(await cleared(["status"])).toEqual([
      expect.stringMatching(new RegExp(`${gone.source}; it is kept as`)),
    ]);
    expect(await cleared(["gc", "-q", "--prune=now"])).toEqual([
      expect.stringMatching(new RegExp(`${gone.source}$`)),
    ]);
  });
});

describe("worktrees", () => {
  test("one that the dispatch added is forgotten by git and fails the attempt; its files stay", async () => {
    const at = await begin();
    const list = at.git(["worktree", "list"]);
    const added = join(at.folder, "added");
    at.git(["worktree", "add", "-q", "-b", "mine", added], { cwd: at.path, env: agent });
    at.write({ "work.txt": "w\n" }, added);
    const { violations, notes } = await end(at);
    expect(violations).toEqual([
      `a worktree was added in "${added}"; git was made to forget it, its files stay`,
    ]);
    expect(notes).toHaveLength(1);
    expect(at.git(["worktree", "list"])).toBe(list);
    expect(existsSync(join(added, "work.txt"))).toBe(true);
    expect(existsSync(join(at.options.runFolder, "salvage", "metadata", "worktree-added-1", "HEAD"))).toBe(
      true,
    );
  });

  test("one among the run's own lanes is found, whatever its lock says", async () => {
    const at = await begin();
    const list = at.git(["worktree", "list"]);
    const add = ["worktree", "add", "-q", "--detach"];
    const reason = `execute-prd run x (${at.options.runId})`;
    at.git([...add, join(at.path, "..", "beside")], { cwd: at.path, env: agent });
    at.git([...add, "--lock", "--reason", reason, join(at.path, "..", "..", "locked")], {
      cwd: at.path,
      env: agent,
    });
    expect((await end(at)).violations).toEqual([
      expect.stringMatching(/^a worktree was added in ".*\/beside"/),
      expect.stringMatching(/^a worktree was added in ".*\/locked"/),
    ]);
    expect(at.git(["worktree", "list"])).toBe(list);
  });

  test("one that passes for another run's is found out", async () => {
    const at = await begin();
    const added = join(at.folder, "added");
    const reason = "execute-prd run other (20260102T030405Z-ffffff)";
    const args = ["worktree", "add", "-q", "--detach", "--lock", "--reason", reason, added];
    at.git(args, { cwd: at.path, env: agent });
    expect((await end(at)).violations).toHaveLength(1);
  });

  test("one that the builder added, and one that is gone, are doubts", async () => {
    const at = await begin((fixture) => {
      fixture.git(["worktree", "add", "-q", "--detach", join(fixture.folder, "old")]);
    });
    at.git(["worktree", "remove", join(at.folder, "old")]);
    at.git(["worktree", "add", "-q", "--detach", join(at.folder, "new")]);
    expect(await end(at)).toEqual({
      ...nothing,
      doubts: [
        `git no longer knows the worktree "${join(at.folder, "old")}"`,
        `a worktree was added in "${join(at.folder, "new")}"`,
      ],
    });
    expect(at.git(["worktree", "list"])).toContain("/new ");
  });

  test("a checkout that the dispatch only detached is told so", async () => {
    const at = await begin();
    at.git(["switch", "-q", "--detach"], { env: agent });
    const { violations } = await end(at);
    expect(violations).toEqual([
      `HEAD of the main checkout was set anew at ${at.head()} (checkout: moving from main to HEAD)`,
    ]);
  });

  test("a commit of the dispatch in another worktree of the builder is named", async () => {
    const at = await begin((fixture) => {
      fixture.git(["worktree", "add", "-q", "--detach", join(fixture.folder, "old")]);
    });
    const cwd = join(at.folder, "old");
    at.git(["commit", "-q", "--allow-empty", "-m", "mine"], { cwd, env: agent });
    const commit = at.git(["rev-parse", "HEAD"], { cwd });
    expect((await end(at)).violations).toEqual([
      `HEAD of worktree "${cwd}" was moved from ${at.base} to ${commit}`,
    ]);
  });

  test("another lane of the run that is made meanwhile is nothing", async () => {
    const at = await begin();
    const base = at.head();
    toValue(await at.repository.prepareWork({ lane: 2, base, start: base, setup: "" }, never));
    expect(await end(at)).toEqual(nothing);
  });
});

describe("a set-up", () => {
  test("that writes hooks and edits the main checkout is told with the lane's next dispatch", async () => {
    const at = repositoryFixture({ "a.txt": "a\n" }, () => {
      writeFileSync(join(at.commonDir, "hooks", "post-checkout"), "#!/bin/sh\nexit 0\n");
      at.write({ "a.txt": "set up\n" });
      return undefined;
    });
    const base = at.head();
    const ready = await at.repository.prepareWork({ lane, base, start: base, setup: "make" }, never);
    toValue(ready);
    toValue(await at.repository.beforeDispatch({ lane, dispatch: "d1" }));
    expect(await end(at)).toEqual({
      violations: [],
      notes: [`"hooks/post-checkout" was added and put back`],
      doubts: ["files of the main checkout changed: a.txt (changed)"],
    });
    expect(existsSync(join(at.commonDir, "hooks", "post-checkout"))).toBe(false);
    toValue(await at.repository.beforeDispatch({ lane, dispatch: "d2" }));
    expect(await end(at)).toEqual(nothing);
    rmSync(join(at.checkout, "a.txt"));
  });
});

test("a program that died during the dispatch says nothing about checkouts: nobody knows when they changed", async () => {
  const at = await begin();
  at.write({ "a.txt": "A\n" });
  expect(await end({ repository: at.restart() })).toEqual(nothing);
});
