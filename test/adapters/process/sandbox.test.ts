// The launcher with a sandbox: how processes end in it, and what is told of them. With real bubblewrap.

import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Confinement, Sandbox } from "../../../src/adapters/process/confinement.ts";
import { type Command, type Ended, launch } from "../../../src/adapters/process/launch.ts";
import { findSandbox } from "../../../src/adapters/process/sandbox.ts";
import { limits } from "../../../src/core/limits.ts";
import { compileInto } from "./compiled.ts";
import { isAlive, makeFolder, until, untilGone, writeProgram } from "./programs.ts";

const tool = await findSandbox({ environment: process.env, network: true });
const inBubblewrap = test.runIf(tool.ok && tool.value.kind === "bubblewrap");

if (!tool.ok) {
  test("there is no sandbox here: how processes end and what they reach in one is skipped", () =>
    expect(tool.ok).toBe(false));
}

let dispatches = 0;

function sandbox(folder: string, changes: Partial<Sandbox> = {}): Sandbox {
  if (!tool.ok) throw new Error(tool.failure);
  const home = join(folder, "home");
  return { ...tool.value, network: true, home, gitCommonDir: "/none", visible: [], hidden: [], ...changes };
}

function confine(folder: string, changes: Partial<Sandbox> = {}): Confinement {
  return { sandbox: sandbox(folder, changes), tree: folder, writable: [] };
}

type Ran = Extract<Ended, { kind: "ended" }>;

async function start(
  folder: string,
  command: Partial<Command> & Pick<Command, "run">,
  signal = new AbortController().signal,
): Promise<Ended> {
  dispatches += 1;
  const dispatch = `sandbox-${process.pid}/d${dispatches}`;
  return launch(
    { dispatch, timeoutMs: 300_000, cwd: folder, confinement: confine(folder), ...command },
    signal,
  );
}

async function run(...at: Parameters<typeof start>): Promise<Ran> {
  const ended = await start(...at);
  if (ended.kind !== "ended") throw new Error(ended.detail);
  return ended;
}

/** A process in whose command line the word is: what hides in a sandbox has no trace of the dispatch. */
function findByWord(word: string): Promise<number> {
  return until(() => {
    const pids = readdirSync("/proc").filter(
      (name) => /^\d+$/.test(name) && commandLineOf(name).endsWith(word),
    );
    return (
      pids
        .map(Number)
        .sort((a, b) => a - b)
        .at(-1) ?? null
    );
  });
}

function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ").trim();
  } catch {
    return ""; // gone meanwhile
  }
}

inBubblewrap("The exit code is the program's own, and a signal that ended it is told as one.", async () => {
  const folder = await makeFolder();
  expect(await run(folder, { run: "exit 7" })).toMatchObject({ exitCode: 7, signal: null });
  expect(await run(folder, { run: "exit 1" })).toMatchObject({ exitCode: 1, signal: null });
  expect(await run(folder, { run: "exit 145" })).toMatchObject({ exitCode: 145, signal: null });
  expect(await run(folder, { run: "kill -KILL $$" })).toMatchObject({ exitCode: null, signal: "SIGKILL" });
  expect(await run(folder, { run: "kill -SEGV $$" })).toMatchObject({ exitCode: null, signal: "SIGSEGV" });
});

inBubblewrap(
  "The prompt, the output and variables pass, and the working directory is the tree.",
  async () => {
    const folder = await makeFolder();
    const ended = await run(folder, {
      run: 'read line; echo "$line $PWD $EXTRA $HOME"; echo err >&2',
      input: "hello\n",
      given: { EXTRA: "extra", HOME: "/somewhere" },
    });
    expect(ended).toMatchObject({
      exitCode: 0,
      tail: expect.stringContaining(`hello ${folder} extra /somewhere`),
    });
    expect(ended.tail).toContain("err");
  },
);

inBubblewrap("A program that is missing, and a sandbox that cannot be made, are no exit codes.", async () => {
  const folder = await makeFolder();
  expect(await start(folder, { run: ["no-such-program-here"] })).toEqual({
    kind: "cannot start",
    detail: 'the program "no-such-program-here" was not found',
  });
  const confinement = confine(folder, { visible: [] });
  const broken = { ...confinement, sandbox: { ...confinement.sandbox, program: "/bin/false" } };
  const ended = await start(folder, { run: ["true"], confinement: broken });
  expect(ended).toMatchObject({
    kind: "cannot start",
    inSandbox: true,
    detail: expect.stringContaining("sandbox could not be"),
  });
});

inBubblewrap(
  "A stop is told to the whole group, and all of it has the grace, also what outlives its leader.",
  async () => {
    const folder = await makeFolder();
    const worker = await writeProgram(
      folder,
      "worker",
      `import { writeFileSync } from "node:fs";
     process.on("SIGTERM", () => setTimeout(() => { writeFileSync("worker-done", ""); process.exit(0); }, 300));
     setInterval(() => {}, 1000);
     console.log("up");`,
    );
    const abort = new AbortController();
    const ended = await run(
      folder,
      { run: `${worker.join(" ")} & sleep 600`, onLine: () => abort.abort() },
      abort.signal,
    );
    expect(ended).toMatchObject({ interrupted: true });
    expect(existsSync(join(folder, "worker-done"))).toBe(true);
  },
);

inBubblewrap("A time-out ends the program and is told as one.", async () => {
  const folder = await makeFolder();
  const ended = await run(folder, { run: "sleep 600", timeoutMs: 500 });
  expect(ended).toMatchObject({ timedOut: "total", interrupted: false });
});

inBubblewrap("A program that exits well when it is told to stop is reported so.", async () => {
  const folder = await makeFolder();
  const polite = await writeProgram(
    folder,
    "polite",
    'process.on("SIGTERM", () => process.exit(5)); setInterval(() => {}, 1000); console.log("up");',
  );
  const abort = new AbortController();
  const ended = await run(folder, { run: polite, onLine: () => abort.abort() }, abort.signal);
  expect(ended).toMatchObject({ interrupted: true, exitCode: 5, signal: null });
});

inBubblewrap(
  "What ignores SIGTERM is killed after the grace, and what went into a session of its own too.",
  async () => {
    const folder = await makeFolder();
    const abort = new AbortController();
    const word = `stubborn-${process.pid}-${dispatches}`;
    const code = `trap "" TERM; env -i setsid sh -c 'trap "" TERM; echo up; while :; do sleep 0.1; done; : ${word}' & while :; do sleep 0.1; done`;
    const began = performance.now();
    const ending = run(folder, { run: code, onLine: () => abort.abort() }, abort.signal);
    const hidden = await findByWord(`${word}`);
    const ended = await ending;
    expect(ended).toMatchObject({ interrupted: true });
    expect(performance.now() - began).toBeGreaterThan(limits.killGraceMs - 500);
    expect(isAlive(hidden)).toBe(false);
  },
);

inBubblewrap("An idle time-out ends a program that says nothing.", async () => {
  const folder = await makeFolder();
  const ended = await run(folder, { run: "echo up; sleep 600", idleTimeoutMs: 500 });
  expect(ended).toMatchObject({ timedOut: "idle" });
});

inBubblewrap(
  "Nothing is left when the program ended, not even without any trace of the dispatch.",
  async () => {
    const folder = await makeFolder();
    const word = `hidden-${process.pid}`;
    const code = `env -i setsid sh -c 'env -i setsid sh -c "echo up > up; while :; do sleep 0.1; done; : ${word}" &' & while [ ! -e up ]; do sleep 0.02; done; sleep 1`;
    const ending = run(folder, { run: code });
    const hidden = await findByWord(word);
    expect(isAlive(hidden)).toBe(true);
    expect((await ending).exitCode).toBe(0);
    expect(isAlive(hidden)).toBe(false);
  },
);

inBubblewrap("Nothing is left after this program was killed with SIGKILL.", async () => {
  const folder = await makeFolder();
  const toUrl = await compileInto(folder);
  const word = `orphan-${process.pid}`;
  const code = `env -i setsid sh -c 'while :; do sleep 0.1; done; : ${word}' & while :; do sleep 0.1; done`;
  const puppet = await writeProgram(
    folder,
    "puppet",
    `import { launch } from ${JSON.stringify(toUrl("src/adapters/process/launch.ts"))};
     const at = ${JSON.stringify({ run: code, cwd: folder, dispatch: `orphan-${process.pid}/d1`, confinement: confine(folder) })};
     await launch({ ...at, timeoutMs: 60_000 }, new AbortController().signal);`,
  );
  const [program = "", ...args] = puppet;
  const child = spawn(program, args, { cwd: folder, stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  const hidden = await findByWord(`${word}`);
  child.kill("SIGKILL");
  await untilGone(hidden);
});

inBubblewrap("What is written lands in the tree and in what was named, nowhere else.", async () => {
  const folder = await makeFolder();
  const [tree, drop, other] = ["tree", "drop", "other"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [tree, drop, other]) await mkdir(path);
  const lost = `/tmp/lost-${process.pid}`;
  const confinement = { ...confine(tree, { visible: [other] }), writable: [drop] };
  const ended = await run(tree, {
    run: `echo x > inside; echo x > ${drop}/inside; echo x > ${other}/outside; echo x > ${lost}; echo $TMPDIR; ls /proc | grep -c '^[0-9]'`,
    confinement,
  });
  expect(existsSync(join(tree, "inside")) && existsSync(join(drop, "inside"))).toBe(true);
  expect(existsSync(join(other, "outside")) || existsSync(lost)).toBe(false);
  expect(ended.tail).toContain("Read-only file system"); // standard error may come before or after
  expect(ended.tail).toMatch(/^\/tmp\n[1-9]$/m);
});

inBubblewrap(
  "Credentials in the home folder are hidden, but for those that are spared or handed on.",
  async () => {
    const folder = await makeFolder();
    const tree = join(folder, "tree");
    const home = join(folder, "home");
    for (const path of [tree, join(home, ".ssh"), join(home, ".aws")]) await mkdir(path, { recursive: true });
    for (const name of [".ssh/id", ".aws/credentials", ".netrc", ".npmrc", ".profile"])
      await writeFile(join(home, name), `secret of ${name}\n`);
    const confinement = {
      sandbox: sandbox(folder, { visible: [home] }),
      tree,
      writable: [],
      spared: [".npmrc"],
    };
    const ended = await run(tree, {
      run: `cd ${home}; cat .ssh/id .aws/credentials .netrc .npmrc .profile; echo x > .ssh/new`,
      names: ["AWS_SHARED_CREDENTIALS_FILE"],
      from: { PATH: process.env["PATH"], AWS_SHARED_CREDENTIALS_FILE: join(home, ".aws/credentials") },
      confinement,
    });
    const read = ended.tail.split("\n").filter((line) => line.startsWith("secret"));
    expect(read).toEqual(["secret of .aws/credentials", "secret of .npmrc", "secret of .profile"]);
    expect(ended.exitCode).not.toBe(0);
  },
);

inBubblewrap(
  "Without network nothing outside is reached, not even this machine; with it, it is.",
  async () => {
    const folder = await makeFolder();
    const server = createServer((socket) => socket.end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === "object" ? address?.port : 0;
    const program = await writeProgram(
      folder,
      "connect",
      `import { connect } from "node:net";
     connect(${port}, "127.0.0.1").on("connect", () => { console.log("connected"); process.exit(0); }).on("error", (error) => { console.log(error.code); process.exit(1); });`,
    );
    expect(await run(folder, { run: program })).toMatchObject({ exitCode: 0, tail: "connected" });
    const confinement = confine(folder, { network: false });
    expect(await run(folder, { run: program, confinement })).toMatchObject({
      exitCode: 1,
      tail: "ECONNREFUSED",
    });
  },
);
