// Profiles as what the sandbox tools are given, and which places a profile holds.

import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Sandbox } from "../../../src/adapters/process/confinement.ts";
import { findSandbox } from "../../../src/adapters/process/sandbox.ts";
import {
  type Profile,
  toBubblewrapArgs,
  toProbeArgs,
} from "../../../src/adapters/process/sandbox-bubblewrap.ts";
import { toMacProfile } from "../../../src/adapters/process/sandbox-macos.ts";
import { toProfile } from "../../../src/adapters/process/sandbox-profile.ts";
import { secretPlaces } from "../../../src/adapters/process/sandbox-secrets.ts";
import { confineSetup } from "../../../src/adapters/process/sandbox-setup.ts";
import { makeFolder } from "./programs.ts";

const profile: Profile = {
  network: false,
  isRoot: false,
  cwd: "/trees/lane-1/work",
  fresh: ["/tmp", "/run"],
  readable: ["/tmp/agent/lib", "/tmp/agent"],
  hidden: [
    { path: "/home/b/.ssh", isFolder: true },
    { path: "/home/b/.netrc", isFolder: false },
  ],
  revealed: ["/home/b/.ssh/config"],
  writable: ["/trees/lane-1/work", "/tmp/drop"],
  kept: ["/trees/lane-1/work/.git"],
};

test("For bubblewrap later mounts cover earlier ones: the system, own folders, what is hidden, what may be written.", () => {
  expect(toBubblewrapArgs(profile).join(" ").split(" --").join("\n--")).toBe(
    `--unshare-pid
--unshare-ipc
--unshare-net
--die-with-parent
--new-session
--json-status-fd 3
--ro-bind / /
--dev /dev
--proc /proc
--ro-bind-try /proc/sys /proc/sys
--ro-bind-try /proc/sysrq-trigger /proc/sysrq-trigger
--tmpfs /tmp
--tmpfs /run
--ro-bind /tmp/agent /tmp/agent
--ro-bind /tmp/agent/lib /tmp/agent/lib
--tmpfs /home/b/.ssh
--dev-bind /dev/null /home/b/.netrc
--ro-bind /home/b/.ssh/config /home/b/.ssh/config
--bind /tmp/drop /tmp/drop
--bind /trees/lane-1/work /trees/lane-1/work
--ro-bind /trees/lane-1/work/.git /trees/lane-1/work/.git
--remount-ro /home/b/.ssh
--chdir /trees/lane-1/work`,
  );
});

test("Root loses every capability but what package managers need; the network stays where it is allowed.", () => {
  const args = toBubblewrapArgs({ ...profile, isRoot: true, network: true });
  expect(args.slice(0, 6)).toEqual([
    "--unshare-pid",
    "--unshare-ipc",
    "--die-with-parent",
    "--new-session",
    "--cap-drop",
    "ALL",
  ]);
  expect(args).not.toContain("CAP_SYS_ADMIN");
  expect(toProbeArgs({ network: false })).toContain("--unshare-net");
});

test("For sandbox-exec the last rule that matches holds: all is read but what is hidden, little is written.", () => {
  expect(toMacProfile({ ...profile, hidden: [{ path: '/Users/b/"x"', isFolder: true }] })).toBe(
    `(version 1)
(allow default)
(deny file-write*)
(allow file-write* (subpath "/dev") (subpath "/private/tmp") (subpath "/private/var/tmp") (subpath "/private/var/folders") (subpath "/trees/lane-1/work") (subpath "/tmp/drop"))
(deny file-write* (subpath "/trees/lane-1/work/.git"))
(deny file-read* file-write* (subpath "/Users/b/\\"x\\""))
(allow file-read* (subpath "/home/b/.ssh/config"))
(deny network*)
(allow network* (local ip "localhost:*") (remote ip "localhost:*"))
`,
  );
});

describe("a profile", () => {
  async function place() {
    const folder = await makeFolder();
    const tree = join(folder, "trees/lane-1/work");
    const gitCommonDir = join(folder, "project/.git");
    const adminDir = join(gitCommonDir, "worktrees/work");
    const home = join(folder, "home");
    for (const path of [tree, adminDir, join(gitCommonDir, "objects/pack"), home])
      mkdirSync(path, { recursive: true });
    writeFileSync(join(tree, ".git"), `gitdir: ${adminDir}\n`);
    const sandbox: Sandbox = {
      kind: "bubblewrap",
      program: "/usr/bin/bwrap",
      network: true,
      home,
      gitCommonDir,
      visible: [],
      hidden: [],
    };
    const wanted = (changes: Partial<Parameters<typeof toProfile>[0]> = {}) =>
      toProfile({
        confinement: { sandbox, tree, writable: [] },
        cwd: tree,
        command: ["node"],
        path: "",
        handed: [],
        ...changes,
      });
    return { folder, tree, gitCommonDir, adminDir, home, sandbox, wanted };
  }

  test("lets a lane write its tree, its own folder of git's and new objects, and neither packs nor its .git file", async () => {
    const { tree, gitCommonDir, adminDir, wanted } = await place();
    expect(wanted().writable).toEqual([tree, join(gitCommonDir, "objects"), adminDir]);
    expect(wanted().kept).toEqual([join(tree, ".git"), join(gitCommonDir, "objects/pack")]);
  });

  test("believes no .git file that names another folder, or a link", async () => {
    const { folder, tree, gitCommonDir, wanted } = await place();
    for (const path of [gitCommonDir, folder, join(gitCommonDir, "worktrees/link")]) {
      if (path.endsWith("link")) symlinkSync(join(gitCommonDir, "objects"), path);
      writeFileSync(join(tree, ".git"), `gitdir: ${path}\n`);
      expect(wanted().writable).toEqual([tree]);
    }
  });

  test("shows scripts that a command names below a folder of the sandbox's own, with what lies beside them", async () => {
    const { folder, wanted } = await place();
    const [agents, keys] = [join(folder, "agents"), join(folder, "keys")];
    for (const path of [agents, keys]) mkdirSync(path);
    writeFileSync(join(agents, "agent.mjs"), "");
    const { readable } = wanted({
      command: ["/bin/sh", "-c", `FILE='${agents}/agent.mjs' node --run "$FILE"; /tmp/none`],
      path: `/usr/bin:${keys}`,
      handed: [join(folder, "home"), "no path"],
    });
    expect(readable).toEqual(
      expect.arrayContaining([agents, join(agents, "agent.mjs"), keys, join(folder, "home")]),
    );
    expect(readable).not.toContain("/tmp");
    expect(readable.every((path) => existsSync(path))).toBe(true);
  });

  test("hides the credentials that are there, where they really lie, and shows again what was handed on", async () => {
    const { folder, home, sandbox, tree, wanted } = await place();
    mkdirSync(join(folder, "vault"));
    symlinkSync(join(folder, "vault"), join(home, ".aws"));
    writeFileSync(join(home, ".npmrc"), "");
    mkdirSync(join(home, ".kube"));
    writeFileSync(join(home, ".kube/config"), "");
    const { hidden, revealed } = wanted({ handed: [join(home, ".kube/config")] });
    expect(hidden).toEqual([
      { path: join(folder, "vault"), isFolder: true },
      { path: join(home, ".kube"), isFolder: true },
      { path: join(home, ".npmrc"), isFolder: false },
    ]);
    expect(revealed).toEqual([join(home, ".kube/config")]);
    const spared = wanted({ confinement: { sandbox, tree, writable: [], spared: [".npmrc"] } });
    expect(spared.hidden.map(({ path }) => path)).not.toContain(join(home, ".npmrc"));
  });

  test("of setup has caches of the package managers that the tree uses, made where they are missing", async () => {
    const { home, sandbox, tree } = await place();
    writeFileSync(join(tree, "Cargo.toml"), "");
    mkdirSync(join(home, ".yarn/berry"), { recursive: true });
    expect(confineSetup(sandbox, tree).writable.map((path) => path.slice(home.length + 1))).toEqual([
      ".cache",
      ".cargo/registry",
      ".cargo/git",
      ".cargo/git",
      ".cargo/registry",
      ".yarn/berry",
    ]);
    expect(existsSync(join(home, ".npm"))).toBe(false);
  });
});

test("Well-known places of credentials are hidden.", () => {
  const named = [
    ".ssh",
    ".aws",
    ".gnupg",
    ".config/gh",
    ".config/gcloud",
    ".netrc",
    ".git-credentials",
    ".npmrc",
    ".pypirc",
    ".docker",
    ".kube",
    ".azure",
    ".claude",
    ".claude.json",
    ".codex",
    ".gemini",
    ".local/share/opencode",
    ".cargo/credentials.toml",
    ".password-store",
    ".mozilla",
  ];
  expect(named.filter((name) => !secretPlaces.includes(name))).toEqual([]);
  expect(new Set(secretPlaces).size).toBe(secretPlaces.length);
});

test("Where there is no tool the reason is named: none on PATH, one that fails, another system.", async () => {
  const folder = await makeFolder();
  const ask = (PATH: string, platform: NodeJS.Platform) =>
    findSandbox({ environment: { PATH }, network: true, platform });
  expect(await ask(folder, "linux")).toEqual({ ok: false, failure: "bubblewrap (bwrap) is not installed" });
  writeFileSync(
    join(folder, "bwrap"),
    "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n",
    { mode: 0o755 },
  );
  expect(await ask(`${folder}:/none`, "linux")).toEqual({
    ok: false,
    failure: "bwrap fails: No permissions to create new namespace",
  });
  expect(await ask(folder, "win32")).toEqual({ ok: false, failure: "there is no sandbox for win32" });
});
