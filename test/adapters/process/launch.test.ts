// The launcher with real processes: what goes in, what comes out, and that everything ends.

import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Command, type Ended, launch, type Talk } from "../../../src/adapters/process/launch.ts";
import { limits } from "../../../src/core/limits.ts";
import { isAlive, makeFolder, readPid, untilGone, writeProgram } from "./programs.ts";

type Ran = Extract<Ended, { kind: "ended" }>;

let dispatches = 0;

async function start(
  command: Partial<Command> & Pick<Command, "run" | "cwd">,
  signal = new AbortController().signal,
) {
  dispatches += 1;
  return launch({ dispatch: `test-${process.pid}/d${dispatches}`, timeoutMs: 20_000, ...command }, signal);
}

async function run(
  command: Partial<Command> & Pick<Command, "run" | "cwd">,
  signal?: AbortSignal,
): Promise<Ran> {
  const ended = await start(command, signal);
  if (ended.kind !== "ended") throw new Error(ended.detail);
  return ended;
}

/** Runs a program of the given source in a fresh folder. */
async function runSource(source: string, command: Partial<Command> = {}, signal?: AbortSignal) {
  const folder = await makeFolder();
  const argv = await writeProgram(folder, "program", source);
  return { folder, ended: await run({ run: argv, cwd: folder, ...command }, signal) };
}

describe("the prompt", () => {
  const large = "ü".repeat(600_000);

  test("reaches the program whole when it is larger than a pipe", async () => {
    const { ended } = await runSource(
      `import { createHash } from "node:crypto";
       const hash = createHash("sha256");
       for await (const chunk of process.stdin) hash.update(chunk);
       console.log(hash.digest("hex"));`,
      { input: large },
    );
    expect(ended).toMatchObject({ exitCode: 0, tail: createHash("sha256").update(large).digest("hex") });
  });

  test("may be left unread by a program that ends", async () => {
    const { ended } = await runSource('console.log("done");', { input: large });
    expect(ended).toMatchObject({ exitCode: 0, tail: "done", interrupted: false, timedOut: null });
  });

  test("may be refused by a program that closes stdin and works on", async () => {
    const { ended } = await runSource(
      `import { closeSync } from "node:fs";
       closeSync(0);
       setTimeout(() => console.log("done"), 200);`,
      { input: large },
    );
    expect(ended).toMatchObject({ exitCode: 0, tail: "done" });
  });

  test("is nothing at all when none is given: stdin is at its end", async () => {
    const { ended } = await runSource(
      'let bytes = 0; for await (const chunk of process.stdin) bytes += chunk.length; console.log("read", bytes);',
    );
    expect(ended.tail).toBe("read 0");
  });
});

describe("a talk", () => {
  const echo = `import { createInterface } from "node:readline";
    for await (const line of createInterface({ input: process.stdin })) console.log("heard", line);`;

  test("goes on over a stdin that stays open, until it is finished", async () => {
    const { ended } = await runSource(echo, {
      onStarted: ({ stdin, finish }) => {
        stdin.write("one\n");
        stdin.write("two\n");
        finish();
      },
    });
    expect(ended).toMatchObject({ exitCode: 0, tail: "heard one\nheard two", timedOut: null });
  });

  test("that is finished ends a program that stays, which is neither a time-out nor an interruption", async () => {
    const { ended } = await runSource("setInterval(() => {}, 1_000);", {
      onStarted: ({ finish }) => finish(),
    });
    expect(ended).toMatchObject({ signal: "SIGTERM", timedOut: null, interrupted: false });
    expect(ended.durationMs).toBeGreaterThanOrEqual(limits.doneGraceMs - 10);
  });

  test("that is finished after the program has ended waits for nothing and ends nobody", async () => {
    const talks: Talk[] = [];
    await runSource("", { onStarted: (talk) => talks.push(talk) });
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const before = timers();
    expect(talks.length).toBe(1);
    for (const { finish } of talks) finish();
    expect(timers()).toBe(before);
  });

  test("is not begun with a program that is not there", async () => {
    let begun = 0;
    const ended = await start({ run: ["no-such-program"], cwd: "/", onStarted: () => (begun += 1) });
    expect([ended.kind, begun]).toEqual(["cannot start", 0]);
  });
});

describe("the output", () => {
  test("is stored as it came, hashed, and counted", async () => {
    const folder = await makeFolder();
    const log = join(folder, "deep", "down", "output.log");
    const argv = await writeProgram(folder, "program", 'process.stdout.write("a\\u001b[31mb\\u001b[0m\\n");');
    const ended = await run({ run: argv, cwd: folder, log });
    const stored = await readFile(log);
    expect(stored.toString()).toBe("a\u001b[31mb\u001b[0m\n");
    expect(ended.outputSha256).toBe(createHash("sha256").update(stored).digest("hex"));
    expect(ended).toMatchObject({ tail: "ab", outputBytes: stored.length, droppedBytes: 0 });
  });

  test("is bounded on disk when a program floods: the rest is counted and the last line says so", async () => {
    const folder = await makeFolder();
    const log = join(folder, "output.log");
    const megabytes = Math.ceil(limits.outputBytes / 1e6) + 5;
    const argv = await writeProgram(
      folder,
      "program",
      `const block = ("x".repeat(99) + "\\n").repeat(10_000);
       let left = ${megabytes};
       const more = () => { while (left-- > 0) if (!process.stdout.write(block)) { process.stdout.once("drain", more); return; } console.log("the end"); };
       more();`,
    );
    const ended = await run({ run: argv, cwd: folder, log });
    const { size } = await stat(log);
    const stored = await readFile(log);
    const dropped = ended.outputBytes - limits.outputBytes;
    expect(ended.outputBytes).toBe(megabytes * 1e6 + "the end\n".length);
    expect(ended.droppedBytes).toBe(dropped);
    expect(size).toBeLessThan(limits.outputBytes + 200);
    expect(stored.subarray(-200).toString()).toContain(
      `[execute-prd: ${dropped} more bytes of output were not kept]`,
    );
    expect(ended.outputSha256).toBe(createHash("sha256").update(stored).digest("hex"));
    expect(ended.tail.endsWith("x\nthe end")).toBe(true);
    expect(ended.tail.length).toBeLessThanOrEqual(limits.outputTailChars);
  });

  test("stays valid text when characters arrive in halves and lines have no end", async () => {
    const lines: string[] = [];
    const { ended } = await runSource(
      `const euro = Buffer.from("€");
       process.stdout.write(euro.subarray(0, 1), () => setTimeout(() => {
         process.stdout.write(Buffer.concat([euro.subarray(1), Buffer.from("\\nx" + "😀".repeat(5_001))]));
         process.stderr.write(Buffer.from([0xff, 0xfe, 0xc3]));
       }, 50));`,
      { onLine: (line) => lines.push(line) },
    );
    const loneHalf = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;
    expect(lines[0]).toBe("€");
    expect(lines.every((line) => line.length <= limits.outputTailChars && !loneHalf.test(line))).toBe(true);
    expect(lines.at(-1)).toBe("���");
    expect(lines.join("").match(/😀/gu)?.length).toBe(5_001);
    expect(loneHalf.test(ended.tail)).toBe(false);
    expect(ended.tail.length).toBeLessThanOrEqual(limits.outputTailChars);
  });

  test("loses its terminal sequences and control characters in lines and tail", async () => {
    const lines: string[] = [];
    const { ended } = await runSource(
      'process.stdout.write("\\u001b]0;title\\u0007\\u001b[2Jok\\u0000\\u009b31m\\r\\n10%\\r100%\\n");',
      { onLine: (line) => lines.push(line) },
    );
    expect(lines).toEqual(["ok", "100%"]);
    expect(ended.tail).toBe("ok\n100%");
  });

  test("becomes one JSON line for each line where a transcript is wanted", async () => {
    const folder = await makeFolder();
    const log = join(folder, "transcript.jsonl");
    const argv = await writeProgram(
      folder,
      "program",
      'process.stdout.write("one\\ntwo\\n", () => process.stderr.write("half"));',
    );
    await run({ run: argv, cwd: folder, log, logFormat: "json lines" });
    const records = (await readFile(log, "utf8"))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(records.map(({ stream, text }) => [stream, text])).toEqual([
      ["stdout", "one"],
      ["stdout", "two"],
      ["stderr", "half"],
    ]);
    expect(records.every(({ atMs }) => Math.abs(atMs - Date.now()) < 60_000)).toBe(true);
  });

  test("is never written through a link", async () => {
    const folder = await makeFolder();
    await writeFile(join(folder, "precious"), "as it was");
    await symlink(join(folder, "precious"), join(folder, "output.log"));
    const argv = await writeProgram(folder, "program", 'console.log("x");');
    const ended = await start({ run: argv, cwd: folder, log: join(folder, "output.log") });
    expect(ended).toMatchObject({ kind: "cannot start", detail: expect.stringContaining("ELOOP") });
    expect(await readFile(join(folder, "precious"), "utf8")).toBe("as it was");
  });
});

describe("the environment", () => {
  const from = {
    PATH: process.env["PATH"],
    HOME: "/home/somebody",
    LANG: "C.UTF-8",
    DEPLOY_TOKEN: "a-secret-of-the-builder",
    EXTRA: "wanted",
    CLAUDECODE: "1",
    EXECUTE_PRD_ROLE: "developer",
  };
  const show = "console.log(JSON.stringify(process.env));";

  test("is the allow-list, what is named, what is given, and the dispatch", async () => {
    const { ended } = await runSource(show, {
      from,
      names: ["EXTRA"],
      given: { LANG: "C" },
      dispatch: "run/d1",
    });
    const seen = JSON.parse(ended.tail);
    expect(seen).toMatchObject({
      HOME: "/home/somebody",
      LANG: "C",
      CI: "1",
      EXTRA: "wanted",
      EXECUTE_PRD_DISPATCH: "run/d1",
    });
    expect(Object.keys(seen).sort()).toEqual(["CI", "EXECUTE_PRD_DISPATCH", "EXTRA", "HOME", "LANG", "PATH"]);
  });

  test("never holds variables of a surrounding agent or run, even when they are named", async () => {
    const { ended } = await runSource(show, { from, names: ["CLAUDECODE", "EXECUTE_PRD_ROLE"] });
    expect(ended.tail).not.toMatch(/CLAUDECODE|EXECUTE_PRD_ROLE|a-secret-of-the-builder/);
  });

  test("of this program does not leak without being asked for", async () => {
    process.env["NOT_FOR_CHILDREN"] = "a-secret-of-the-builder";
    const { ended } = await runSource(show);
    delete process.env["NOT_FOR_CHILDREN"];
    expect(ended.tail).not.toContain("a-secret-of-the-builder");
  });
});

describe("the command", () => {
  test("of plain words needs no shell", async () => {
    const folder = await makeFolder();
    await writeProgram(folder, "parent", "console.log(process.argv.slice(2).join('|'), process.ppid);");
    const ended = await run({ run: `${process.execPath} ./parent.mjs  a=b  c`, cwd: folder });
    expect(ended.tail).toBe(`a=b|c ${process.pid}`);
  });

  test("line with shell characters goes through the shell", async () => {
    const folder = await makeFolder();
    const ended = await run({ run: 'printf "%s\\n" "$CI" && exit 5', cwd: folder });
    expect(ended).toMatchObject({ exitCode: 5, tail: "1" });
  });

  test("line that is a word of the shell goes through the shell", async () => {
    expect(await run({ run: "exit 3", cwd: await makeFolder() })).toMatchObject({ exitCode: 3 });
  });

  test("argv never meets a shell", async () => {
    const folder = await makeFolder();
    const argv = await writeProgram(folder, "program", "console.log(process.argv[2]);");
    const ended = await run({ run: [...argv, "$(touch hurt); `id` && *"], cwd: folder });
    expect(ended.tail).toBe("$(touch hurt); `id` && *");
  });

  test("that cannot be started says why", async () => {
    const folder = await makeFolder();
    await writeFile(join(folder, "no-program"), "x");
    await chmod(join(folder, "no-program"), 0o644);
    await mkdir(join(folder, "a-folder"));
    const details = async (command: Partial<Command>) => {
      const ended = await start({ run: ["true"], cwd: folder, ...command });
      return ended.kind === "cannot start" ? ended.detail : ended.kind;
    };
    expect(await details({ run: ["no-such-program-x"] })).toBe(
      'the program "no-such-program-x" was not found',
    );
    expect(await details({ run: "no-such-program-x --flag" })).toBe(
      'the program "no-such-program-x" was not found',
    );
    expect(await details({ run: ["./no-program"] })).toBe(
      'the program "./no-program" may not be executed (EACCES)',
    );
    expect(await details({ run: ["./a-folder"] })).toBe(
      'the program "./a-folder" may not be executed (EACCES)',
    );
    expect(await details({ run: [] })).toBe("the command is empty");
    expect(await details({ run: ["a\0b"] })).toContain("could not be started");
    expect(await details({ cwd: join(folder, "gone") })).toBe(
      `the working directory "${join(folder, "gone")}" does not exist`,
    );
  });

  test("ended by a signal says which", async () => {
    const { ended } = await runSource('process.kill(process.pid, "SIGSEGV"); setInterval(() => {}, 1000);');
    expect(ended).toMatchObject({ exitCode: null, signal: "SIGSEGV", interrupted: false, timedOut: null });
  });
});

describe("the end", () => {
  const waitForEver = "setInterval(() => {}, 1000);";

  test("is waited for although the program closed its output long before", async () => {
    const { ended } = await runSource(
      'import { closeSync } from "node:fs"; closeSync(1); closeSync(2); setTimeout(() => process.exit(3), 300);',
    );
    expect(ended.exitCode).toBe(3);
    expect(ended.durationMs).toBeGreaterThanOrEqual(290);
  });

  test("takes background children with it that hold the output open", async () => {
    const { folder, ended } = await runSource(
      `import { spawn } from "node:child_process";
       import { writeFileSync } from "node:fs";
       const child = spawn(process.execPath, ["-e", ${JSON.stringify(waitForEver)}], { stdio: "inherit" });
       writeFileSync("pid", String(child.pid));
       process.exit(0);`,
    );
    expect(ended.exitCode).toBe(0);
    await untilGone(await readPid(join(folder, "pid")));
  });

  test("takes the whole group with it, also a child that carries nothing of us", async () => {
    const { folder, ended } = await runSource(
      `import { spawn } from "node:child_process";
       import { writeFileSync } from "node:fs";
       const child = spawn(process.execPath, ["-e", ${JSON.stringify(waitForEver)}], { stdio: "ignore", env: {} });
       writeFileSync("pid", String(child.pid));
       process.exit(0);`,
    );
    expect(ended.exitCode).toBe(0);
    await untilGone(await readPid(join(folder, "pid")));
  });

  test("takes with it what escaped into a session of its own", async () => {
    const { folder, ended } = await runSource(
      `import { spawn } from "node:child_process";
       import { writeFileSync } from "node:fs";
       const child = spawn(process.execPath, ["-e", ${JSON.stringify(waitForEver)}], { stdio: "inherit", detached: true });
       writeFileSync("pid", String(child.pid));
       process.exit(0);`,
    );
    expect(ended.exitCode).toBe(0);
    await untilGone(await readPid(join(folder, "pid")));
  });

  test("is not held up for long by a process that escaped without a trace", async () => {
    const { folder, ended } = await runSource(
      `import { spawn } from "node:child_process";
       import { writeFileSync } from "node:fs";
       const child = spawn(process.execPath, ["-e", ${JSON.stringify(waitForEver)}], { stdio: "inherit", detached: true, env: {} });
       writeFileSync("pid", String(child.pid));
       process.exit(0);`,
    );
    const pid = await readPid(join(folder, "pid"));
    expect(isAlive(pid)).toBe(true);
    process.kill(pid, "SIGKILL");
    expect(ended.exitCode).toBe(0);
  });

  test("comes with SIGTERM when the time is up", async () => {
    const { ended } = await runSource(
      `process.on("SIGTERM", () => { console.log("stopping"); process.exit(0); }); ${waitForEver}`,
      { timeoutMs: 2_000 },
    );
    expect(ended).toMatchObject({ timedOut: "total", interrupted: false, tail: "stopping", exitCode: 0 });
  });

  test("comes with SIGKILL to the whole group when SIGTERM is ignored", async () => {
    const { folder, ended } = await runSource(
      `import { spawn } from "node:child_process";
       import { writeFileSync } from "node:fs";
       process.on("SIGTERM", () => console.log("no"));
       const child = spawn(process.execPath, ["-e", 'process.on("SIGTERM", () => {}); ${waitForEver}'], { stdio: "inherit" });
       writeFileSync("pid", String(child.pid));
       ${waitForEver}`,
      { timeoutMs: 2_000 },
    );
    expect(ended).toMatchObject({ timedOut: "total", signal: "SIGKILL", exitCode: null, tail: "no" });
    expect(ended.durationMs).toBeGreaterThanOrEqual(2_000 + limits.killGraceMs - 50);
    await untilGone(await readPid(join(folder, "pid")));
  });

  test.each([
    ["computes", "const end = Date.now() + 1500; while (Date.now() < end);"],
    [
      "changes files",
      `import { writeFileSync } from "node:fs";
       for (let k = 0; k < 15; k += 1) {
         writeFileSync("note.txt", String(k));
         await new Promise((resolve) => setTimeout(resolve, 100));
       }`,
    ],
  ])("is no reason while a silent program %s", async (_what, source) => {
    const { ended } = await runSource(`${source}\nconsole.log("done");`, { idleTimeoutMs: 500 });
    expect(ended).toMatchObject({ timedOut: null, exitCode: 0, tail: "done" });
  });

  test("of a child is no silence: its processor time counts", async () => {
    const { ended } = await runSource(
      `import { execFileSync } from "node:child_process";
       execFileSync(process.execPath, ["-e", "const end = Date.now() + 1500; while (Date.now() < end);"]);
       console.log("done");`,
      { idleTimeoutMs: 500 },
    );
    expect(ended).toMatchObject({ timedOut: null, exitCode: 0, tail: "done" });
  });

  test("comes when a program falls silent, but not while it speaks", async () => {
    const silent = await runSource(`console.log("once"); ${waitForEver}`, { idleTimeoutMs: 600 });
    expect(silent.ended).toMatchObject({ timedOut: "idle", interrupted: false, tail: "once" });
    const speaking = await runSource(
      "let n = 0; const t = setInterval(() => { console.log(++n); if (n === 12) clearInterval(t); }, 100);",
      { idleTimeoutMs: 800 },
    );
    expect(speaking.ended).toMatchObject({ timedOut: null, exitCode: 0 });
  });

  test("comes on abort within the grace", async () => {
    const stop = new AbortController();
    const { ended } = await runSource(
      `console.log("ready"); ${waitForEver}`,
      { onLine: () => stop.abort() },
      stop.signal,
    );
    expect(ended).toMatchObject({ interrupted: true, timedOut: null, signal: "SIGTERM" });
  });

  test("lets the rest of an aborted group use its grace after the main process is gone", async () => {
    const stop = new AbortController();
    const { folder } = await runSource(
      `import { spawn } from "node:child_process";
       const child = 'process.on("SIGTERM", () => setTimeout(() => { require("fs").writeFileSync("saved", "1"); process.exit(); }, 300)); console.log("ready"); ${waitForEver}';
       spawn(process.execPath, ["-e", child], { stdio: "inherit" });
       process.on("SIGTERM", () => process.exit());
       ${waitForEver}`,
      { onLine: () => stop.abort() },
      stop.signal,
    );
    expect(await readFile(join(folder, "saved"), "utf8")).toBe("1");
  });

  test("comes before the beginning when it was aborted already", async () => {
    const { folder, ended } = await runSource(
      'import { writeFileSync } from "node:fs"; writeFileSync("started", "1");',
      {},
      AbortSignal.abort(),
    );
    expect(ended).toMatchObject({ interrupted: true, exitCode: null, outputBytes: 0 });
    await expect(stat(join(folder, "started"))).rejects.toThrow("ENOENT");
  });

  test("leaves no listener on a signal that outlives many commands", async () => {
    const { signal } = new AbortController();
    const warnings: unknown[] = [];
    const onWarning = (warning: unknown) => warnings.push(warning);
    process.on("warning", onWarning);
    const folder = await makeFolder();
    for (let n = 0; n < 15; n += 1) await run({ run: "true", cwd: folder }, signal);
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
  });
});
