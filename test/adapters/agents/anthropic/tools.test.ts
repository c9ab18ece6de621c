// The tools in hostile hands: nothing outside of the lane, nothing without a bound, and no input is believed.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, link, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { AgentPolicy } from "../../../../src/core/policy.ts";
import type { Role } from "../../../../src/core/report.ts";
import type { Body } from "../../../support/anthropic-rules.ts";
import { call, type Reply, resultsOf } from "../../../support/anthropic-server.ts";
import { makePlace, type Place } from "../requests.ts";
import { calling, reporting, type Wanted, workWell } from "./work.ts";

type Call = readonly [name: string, input: unknown];

/** The results of these calls, made in one answer. */
async function use(place: Place, calls: readonly Call[], wanted: Wanted = {}) {
  const worked = await workWell([calling(...calls), reporting()], { place, ...wanted });
  expect(worked.outcome.kind).toBe("answered");
  return resultsOf(worked.server.asked[1]?.body as Body); // the second request was made
}

/** A lane with a file, and beside it what must stay as it is. */
async function makeLane() {
  const place = await makePlace();
  const outside = join(place.root, "outside");
  await mkdir(outside);
  await writeFile(join(outside, "secret.txt"), "secret\n");
  await writeFile(join(place.lane, "in.txt"), "inside\n");
  return { place, outside, lane: (name: string) => join(place.lane, name) };
}

const readOf = (path: string): Call => ["read", { path }];
const writeOf = (path: string): Call => ["write", { path, text: "mine" }];
const editOf = (path: string): Call => ["edit", { path, old: "e", new: "E", all: true }];

test("Parameters are taken under the names that other agents' tools have; a tool's own name goes first", async () => {
  const { place, lane } = await makeLane();
  const results = await use(place, [
    ["write", { file_path: "a.txt", content: "one two two\n" }],
    ["edit", { file_path: "a.txt", old_string: "one", new_string: "1" }],
    ["edit", { filePath: "a.txt", old_str: "two", new_str: "2", replace_all: true }],
    ["read", { file_path: "a.txt", offset: 1, limit: 1 }],
    ["write", { path: "b.txt", text: "own", content: "other" }],
    ["bash", { cmd: "cat a.txt", timeout: 5_000 }],
    ["grep", { pattern: "2 2", glob: "*.txt" }],
  ]);
  expect(results.map(({ ok }) => ok)).toEqual(results.map(() => true));
  expect(await readFile(lane("a.txt"), "utf8")).toBe("1 2 2\n");
  expect(await readFile(lane("b.txt"), "utf8")).toBe("own");
});

describe("A path", () => {
  test("may be relative or absolute, as long as it stays in the lane", async () => {
    const { place, lane } = await makeLane();
    const results = await use(place, [
      readOf("./in.txt"),
      readOf(lane("in.txt")),
      writeOf(lane("new/deep.txt")),
      readOf("new/../in.txt"),
    ]);
    expect(results.map(({ ok }) => ok)).toEqual([true, true, true, true]);
    expect(await readFile(lane("new/deep.txt"), "utf8")).toBe("mine");
  });

  test("that leads out is refused, for every tool that takes one", async () => {
    const { place, outside, lane } = await makeLane();
    await symlink(outside, lane("folder"));
    await symlink(join(outside, "secret.txt"), lane("file"));
    await symlink("..", lane("up"));
    const paths = [
      "../outside/secret.txt",
      join(outside, "secret.txt"),
      "folder/secret.txt",
      "file",
      "up/outside/secret.txt",
      "/etc/passwd",
      "",
      "in.txt\0",
      `${"x/".repeat(3_000)}x`,
    ];
    for (const path of paths) {
      const search: Call[] = [
        ["grep", { pattern: "secret", path }],
        ["glob", { pattern: "*.txt", path }],
      ];
      const results = await use(place, [readOf(path), writeOf(path), editOf(path), ...search]);
      expect(
        results.map(({ ok }) => ok),
        path,
      ).toEqual([false, false, false, false, false]);
    }
    const creations = await use(place, [writeOf("folder/new.txt"), writeOf("up/new.txt"), writeOf(".")]);
    expect(creations.map(({ ok }) => ok)).toEqual([false, false, false]);
    expect(await readFile(join(outside, "secret.txt"), "utf8")).toBe("secret\n");
    expect(existsSync(join(outside, "new.txt"))).toBe(false);
    expect(existsSync(join(place.root, "new.txt"))).toBe(false);
  });

  test("through a link that stays inside can be read, and a link itself is never written through", async () => {
    const { place, lane } = await makeLane();
    await mkdir(lane("real"));
    await symlink("real", lane("way"));
    await symlink("in.txt", lane("name"));
    await symlink("nowhere", lane("dangling"));
    const results = await use(place, [
      readOf("name"),
      writeOf("way/new.txt"),
      writeOf("name"),
      writeOf("dangling"),
    ]);
    expect(results.map(({ ok }) => ok)).toEqual([true, true, false, false]);
    expect(results[2]?.text).toBe('"name" is a link');
    expect(await readFile(lane("real/new.txt"), "utf8")).toBe("mine");
    expect(await readFile(lane("in.txt"), "utf8")).toBe("inside\n");
    expect(existsSync(lane("nowhere"))).toBe(false);
  });

  test("to git's own files is not for writing, however it is spelt", async () => {
    const { place, lane } = await makeLane();
    await mkdir(lane(".git"));
    await mkdir(lane("sub"));
    await symlink("../.git", lane("sub/hidden"));
    const paths = [".git/config", ".GIT/hooks/x", "a/../.git/x", "sub/.git", "sub/hidden/x", ".git"];
    const results = await use(place, paths.map(writeOf));
    expect(results.map(({ ok }) => ok)).toEqual(paths.map(() => false));
    expect(existsSync(lane(".git/x"))).toBe(false);
    const [fine] = await use(place, [writeOf(".github/x.yml")]);
    expect(fine?.ok).toBe(true);
  });

  test("to a pipe, a folder or a device is refused at once", async () => {
    const { place, lane } = await makeLane();
    execFileSync("mkfifo", [lane("pipe")]);
    await mkdir(lane("folder"));
    await symlink("/dev/zero", lane("zero"));
    const paths = ["pipe", "folder", "zero", "missing.txt"];
    const reads = await use(place, paths.map(readOf));
    expect(reads.map(({ text }) => text)).toEqual([
      '"pipe" is not a regular file',
      '"folder" is not a regular file',
      '"zero" leads out of the working directory',
      '"missing.txt" does not exist',
    ]);
    const writes = await use(place, [
      ...paths.slice(0, 3).map(writeOf),
      ["grep", { pattern: "x" }],
      ["grep", { pattern: "x", path: "pipe" }],
    ]);
    expect(writes.slice(0, 3).map(({ ok }) => ok)).toEqual([false, false, false]);
    expect(writes[3]?.ok).toBe(true);
  });
});

describe("Files", () => {
  test("keep their permissions, and a second name of a file elsewhere keeps its content", async () => {
    const { place, outside, lane } = await makeLane();
    await writeFile(lane("tool.sh"), "old\n");
    await chmod(lane("tool.sh"), 0o755);
    await link(join(outside, "secret.txt"), lane("shared.txt"));
    await use(place, [writeOf("tool.sh"), editOf("shared.txt")]);
    expect((await stat(lane("tool.sh"))).mode & 0o777).toBe(0o755);
    expect(await readFile(lane("shared.txt"), "utf8")).toBe("sEcrEt\n");
    expect(await readFile(join(outside, "secret.txt"), "utf8")).toBe("secret\n");
  });

  test("are edited at one place only, unless all are meant", async () => {
    const { place, lane } = await makeLane();
    await writeFile(lane("many.txt"), "a\r\nb a $& a");
    const edit = (old: string, text: string, all?: boolean): Call => [
      "edit",
      { path: "many.txt", old, new: text, all },
    ];
    const results = await use(place, [
      edit("a", "x"),
      edit("zz", "x"),
      edit("", "x"),
      edit("a", "a"),
      edit("\r\nb", "$1"),
      edit("a", "$&", true),
    ]);
    expect(results.map(({ ok }) => ok)).toEqual([false, false, false, false, true, true]);
    expect(results[0]?.text).toContain("3 times");
    expect(await readFile(lane("many.txt"), "utf8")).toBe("$&$1 $& $& $&");
  });

  test("come in parts with line numbers; what is no text or too large does not come", async () => {
    const { place, lane } = await makeLane();
    await writeFile(
      lane("long.txt"),
      Array.from({ length: 9_000 }, (_, index) => `line ${index + 1}`).join("\n"),
    );
    await writeFile(lane("wide.txt"), "w".repeat(100_000));
    await writeFile(lane("binary"), Buffer.from([1, 0, 2]));
    await writeFile(lane("latin"), Buffer.from([0xe9, 0x0a]));
    await writeFile(lane("empty"), "");
    await writeFile(lane("huge"), Buffer.alloc(9 * 1024 * 1024, "x"));
    const results = await use(place, [
      readOf("long.txt"),
      ["read", { path: "long.txt", from: 8_999, lines: 5 }],
      ["read", { path: "long.txt", from: 10_000 }],
      ...["wide.txt", "binary", "latin", "empty", "huge"].map(readOf),
    ]);
    expect(results[0]?.text).toContain("[lines 2001 to 9000 follow");
    expect(results[1]?.text).toBe("8999\tline 8999\n9000\tline 9000");
    expect(results[2]?.text).toBe("(the file has only 9000 lines)");
    expect(results[3]?.text.length).toBeLessThan(3_000);
    expect(results.slice(4).map(({ ok }) => ok)).toEqual([false, false, true, false]);
    for (const { text } of results) expect(text.length).toBeLessThan(32_000);
  });
});

describe("A command", () => {
  test("is ended after its time, with what it started, and its output is bounded at both ends", async () => {
    const { place } = await makeLane();
    const results = await use(place, [
      ["bash", { command: "echo begun; sleep 60", timeoutMs: 300 }],
      ["bash", { command: "seq 1 200000; echo the end" }],
      ["bash", { command: "cat; echo no input" }],
      ["bash", { command: "pwd" }],
      ["bash", { command: "exit 0" }],
      ["bash", { command: "a\0b" }],
    ]);
    const [timedOut, long, silent, folder, nothing, broken] = results;
    expect(timedOut).toMatchObject({ ok: false, text: expect.stringMatching(/^begun\n.*300 ms/s) });
    expect(long?.text.length).toBeLessThan(32_000);
    expect(long?.text).toMatch(/^1\n2\n/);
    expect(long?.text).toContain("lines left out");
    expect(long?.text.endsWith("the end")).toBe(true);
    expect(silent?.text).toBe("no input");
    expect(folder?.text).toBe(place.lane);
    expect(nothing?.text).toBe("(no output)");
    expect(broken?.ok).toBe(false);
  });
});

describe("A search", () => {
  test("lists files by pattern, without node_modules unless it is asked for", async () => {
    const { place, lane } = await makeLane();
    for (const folder of ["src/deep", "node_modules/pkg", ".git"])
      await mkdir(lane(folder), { recursive: true });
    for (const name of ["src/a.ts", "src/deep/b.tsx", "src/c.js", "node_modules/pkg/d.ts", ".git/e.ts"]) {
      await writeFile(lane(name), `text of ${name}\n`);
    }
    const results = await use(place, [
      ["glob", { pattern: "*.{ts,tsx}" }],
      ["glob", { pattern: "src/*.ts" }],
      ["glob", { pattern: "node_modules/**/*.ts" }],
      ["glob", { pattern: "*.ts", path: "src" }],
      ["glob", { pattern: "*.py" }],
      ["grep", { pattern: "TEXT of .*\\.tsx?$", ignoreCase: true }],
      ["grep", { pattern: "text", files: "*.js" }],
      ["grep", { pattern: "inside", path: "in.txt" }],
      ["grep", { pattern: "nowhere to be found" }],
    ]);
    expect(results.map(({ text }) => text)).toEqual([
      "src/a.ts\nsrc/deep/b.tsx",
      "src/a.ts",
      "node_modules/pkg/d.ts",
      "src/a.ts",
      "(no file)",
      "src/a.ts:1: text of src/a.ts\nsrc/deep/b.tsx:1: text of src/deep/b.tsx",
      "src/c.js:1: text of src/c.js",
      "in.txt:1: inside",
      "(nothing found)",
    ]);
  });

  test("with a pattern that takes for ever is ended, and one that is none is refused", async () => {
    const { place, lane } = await makeLane();
    await writeFile(lane("evil.txt"), `${"a".repeat(1_500)}!\n`);
    const begun = performance.now();
    const results = await use(place, [
      ["grep", { pattern: "^(a+)+$" }],
      ["grep", { pattern: "(" }],
      ["glob", { pattern: `${"**a".repeat(300)}` }],
      ["glob", { pattern: "{a,b}".repeat(150) }],
    ]);
    expect(results[0]?.text).toContain("took longer than");
    expect(results.map(({ ok }) => ok)).toEqual([false, false, true, true]);
    expect(performance.now() - begun).toBeLessThan(30_000);
  });

  test("gives a bounded answer, and says that there is more", async () => {
    const { place, lane } = await makeLane();
    await writeFile(lane("many.txt"), `${"hit ".repeat(100)}\n`.repeat(2_000));
    const [found] = await use(place, [["grep", { pattern: "hit" }]]);
    expect(found?.text.length).toBeLessThan(32_000);
    expect(found?.text).toContain("narrow it down");
  });
});

describe("An input", () => {
  test.each([
    ["read", {}],
    ["read", { path: 5 }],
    ["read", { path: "in.txt", from: -1 }],
    ["read", { path: "in.txt", from: 1.5 }],
    ["write", { path: "x" }],
    ["write", { path: ["x"], text: "x" }],
    ["edit", { path: "in.txt", old: null, new: "x" }],
    ["bash", { command: { toString: "x" } }],
    ["bash", { command: "true", timeoutMs: "1" }],
    ["grep", { pattern: "" }],
    ["grep", { pattern: "x".repeat(5_000) }],
    ["glob", { pattern: 1 }],
    ["nothing", {}],
    ["__proto__", {}],
    ["constructor", { path: "x" }],
  ])("of %s like %j is told as an error", async (name, input) => {
    const { place } = await makeLane();
    const [result] = await use(place, [[name, input]]);
    expect(result?.ok).toBe(false);
    expect(result?.text.length).toBeLessThan(1_500);
  });

  test.each(["[1]", '"text"', "{", '{"path": "in.txt"', "null"])(
    "that is no JSON object is not carried out: %s",
    async (rawInput) => {
      const { place } = await makeLane();
      const worked = await workWell([{ content: [call("read", {})], rawInput }, reporting()], { place });
      expect(resultsOf(worked.server.asked[1]?.body as Body)[0]?.text).toContain("nothing was done"); // the second request was made
    },
  );

  test("of any size and depth is survived", async () => {
    const { place, lane } = await makeLane();
    const big = "x".repeat(200_000);
    const calls: Call[] = [
      writeOf(`${"long".repeat(100)}.txt`),
      ["write", { path: "big.txt", text: big }],
      ["bash", { command: `: ${big}` }],
    ];
    const deep = (levels: number) => ({ rawInput: `{"a":${"[".repeat(levels)}${"]".repeat(levels)}}` });
    const script = [
      calling(...calls),
      { content: [call("read", {})], ...deep(90) },
      { content: [call("read", {})], ...deep(5_000) },
      { content: [call("report", {})], ...deep(5_000) },
      reporting(),
    ];
    const worked = await workWell(script, { place });
    const results = worked.server.asked.flatMap(({ body }) => resultsOf(body).map(({ ok }) => ok));
    expect(results).toEqual([false, true, false, false, false, false]);
    expect((await stat(lane("big.txt"))).size).toBe(200_000);
    expect(worked.outcome.kind).toBe("answered");
  });

  test("so deep that nobody can read it ends the dispatch, not the program", async () => {
    const levels = 200_000;
    const rawInput = `{"a":${"[".repeat(levels)}${"]".repeat(levels)}}`;
    const worked = await workWell(() => ({ content: [call("read", {})], rawInput }));
    expect(worked.outcome.kind).toBe("failed");
  });
});

describe("A role", () => {
  const review = { verdict: "approved", score: 90, findings: [] };
  const lead = { tasks: [] };
  const toolsOf = async (role: Role, agent: Partial<AgentPolicy> = {}) => {
    const stages = { developer: "develop", reviewer: "review", orchestrator: "recon" } as const;
    const reports = { developer: { summary: "done" }, reviewer: review, orchestrator: lead };
    const request = { role, stage: stages[role] };
    const script = [
      calling(writeOf("x.txt"), ["bash", { command: "touch x.txt" }]),
      reporting(reports[role]),
    ];
    const worked = await workWell(script, { request, agent });
    expect(worked.outcome.kind).toBe("answered");
    const names = worked.server.asked[0]?.body.tools?.map(({ name }) => name);
    return { names, wrote: existsSync(join(worked.place.lane, "x.txt")), body: worked.server.asked[0]?.body };
  };

  test("of a reviewer or the lead has no tool that changes anything, whatever the policy names", async () => {
    for (const role of ["reviewer", "orchestrator"] as const) {
      for (const tools of [null, ["bash", "write", "read", "grep", "glob"]]) {
        const { names, wrote } = await toolsOf(role, { tools });
        expect([names, wrote]).toEqual([["glob", "grep", "read", "report"], false]);
      }
    }
  });

  test("of a developer has all tools, fewer where the policy says so", async () => {
    expect((await toolsOf("developer")).names).toEqual([
      "bash",
      "edit",
      "glob",
      "grep",
      "read",
      "report",
      "write",
    ]);
    const { names, wrote } = await toolsOf("developer", { tools: ["Read", "Grep"] });
    expect([names, wrote]).toEqual([["grep", "read", "report"], false]);
  });

  test("has its words before every request, and its report's schema", async () => {
    const { body } = await toolsOf("reviewer", { instructions: "Be strict about names." });
    expect(JSON.stringify(body?.system)).toContain("Be strict about names.");
    const report = body?.tools?.find(({ name }) => name === "report");
    expect(report?.["input_schema"]).toMatchObject({
      required: expect.arrayContaining(["verdict", "score", "findings"]),
    });
  });
});

test("What the builder handed over can be read, and nothing else outside of the lane.", async () => {
  const place = await makePlace();
  await mkdir(`${place.root}/checkout/docs`, { recursive: true });
  await writeFile(`${place.root}/checkout/docs/notes.md`, "only here\n");
  const script = (body: Body, index: number): Reply => {
    const text = String(body.messages[0]?.content[0]?.["text"]);
    const path = /- docs\/notes\.md: (\S+)/.exec(text)?.[1] ?? "none";
    if (index === 0)
      return calling(
        ["read", { path }],
        ["read", { path: `${place.root}/checkout/docs/notes.md` }],
        ["write", { path, text: "mine" }],
      );
    return reporting();
  };
  const worked = await workWell(script, { place, request: { files: ["docs/notes.md"] } });
  const [read, outside, written] = resultsOf(worked.server.asked[1]?.body as Body); // the second request was made
  expect(read).toEqual({ ok: true, text: "1\tonly here" });
  expect(outside?.ok).toBe(false);
  expect(written?.ok).toBe(false);
});
