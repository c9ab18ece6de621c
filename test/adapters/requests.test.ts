import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createRedaction } from "../../src/adapters/redaction/redaction.ts";
import { openRequests, sendRequest } from "../../src/adapters/requests.ts";
import { limits } from "../../src/core/limits.ts";
import type { BuilderRequest } from "../../src/ports.ts";
import { requestsConformance } from "../conformance/requests.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const cancel: BuilderRequest = { kind: "cancel", by: "Ann" };

describe("requests in the run folder", () => {
  requestsConformance(async () => {
    const folder = temporaryFolder();
    let texts = 0;
    return {
      requests: openRequests(folder),
      send: async (request) => send(folder, request),
      sendText: async (text) => {
        texts += 1;
        mkdirSync(join(folder, "requests"), { recursive: true });
        writeFileSync(join(folder, "requests", `text-${texts}.json`), text);
      },
    };
  });
});

function send(folder: string, request: BuilderRequest): void {
  const sent = sendRequest({ folder, request });
  if (!sent.ok) throw new Error(JSON.stringify(sent.failure));
}

function namesIn(folder: string, ...names: string[]): string[] {
  const path = join(folder, "requests", ...names);
  return existsSync(path) ? readdirSync(path).toSorted() : [];
}

test("a claimed request stays as evidence in claimed, a bad one in refused", async () => {
  const folder = temporaryFolder();
  send(folder, cancel);
  const [name] = namesIn(folder);
  writeFileSync(join(folder, "requests", "bad.json"), "[]");
  await openRequests(folder).claim();
  expect(namesIn(folder)).toEqual(["claimed", "refused"]);
  expect(namesIn(folder, "claimed")).toEqual([name]);
  expect(namesIn(folder, "refused")).toEqual(["bad.json"]);
});

test("evidence is never overwritten by a request of the same name", async () => {
  const folder = temporaryFolder();
  const requests = openRequests(folder);
  for (const by of ["Ann", "Bob"]) {
    mkdirSync(join(folder, "requests"), { recursive: true });
    writeFileSync(join(folder, "requests", "same.json"), JSON.stringify({ kind: "cancel", by }));
    expect(await requests.claim()).toMatchObject([{ kind: "cancel", by }]);
  }
  const claimed = namesIn(folder, "claimed").map((name) =>
    readFileSync(join(folder, "requests/claimed", name), "utf8"),
  );
  expect(claimed).toHaveLength(2);
});

test("of two programs that claim at once each request goes to one", async () => {
  const folder = temporaryFolder();
  for (let number = 0; number < 20; number += 1) send(folder, { ...cancel, by: `builder ${number}` });
  const claims = await Promise.all([openRequests(folder).claim(), openRequests(folder).claim()]);
  expect(claims.flat()).toHaveLength(20);
});

test("a flood is taken in portions, each told by the watcher", async () => {
  const folder = temporaryFolder();
  for (let number = 0; number < 120; number += 1) send(folder, { ...cancel, by: `builder ${number}` });
  const requests = openRequests(folder);
  const first = await requests.claim();
  expect(first.length).toBeLessThan(120);
  await new Promise<void>((resolve) => {
    const stop = requests.watch(() => {
      stop();
      resolve();
    });
  });
  const all = [...first, ...(await requests.claim())];
  expect(all.map(({ by }) => by)).toEqual(Array.from({ length: 120 }, (_, number) => `builder ${number}`));
});

describe("traps", () => {
  test.each([
    ["a pipe", (path: string) => void spawnSync("mkfifo", [path])],
    ["a link to a request", linkToRequest],
    ["a link to an endless file", (path: string) => symlinkSync("/dev/zero", path)],
    ["a folder", (path: string) => void mkdirSync(path)],
    ["a file over the limit", writeHugeFile],
    [
      "a request with an unknown field",
      (path: string) => writeFileSync(path, `{"kind":"cancel","by":"a","x":1}`),
    ],
    ["a task id that is a path", (path: string) => writeFileSync(path, skipTask("../x"))],
    [
      "a sender of two lines",
      (path: string) => writeFileSync(path, JSON.stringify({ ...cancel, by: "a\nb" })),
    ],
  ])("%s is refused without being opened or waited for", async (_, make) => {
    const folder = temporaryFolder();
    send(folder, cancel);
    make(join(folder, "requests", "0-trap.json"));
    expect(await openRequests(folder).claim()).toMatchObject([cancel]);
    expect(namesIn(folder, "refused")).toEqual(["0-trap.json"]);
  });

  test("a request that is still being written is left alone", async () => {
    const folder = temporaryFolder();
    send(folder, cancel);
    const [name = ""] = namesIn(folder);
    renameSync(join(folder, "requests", name), join(folder, "requests", `.${name}.tmp`));
    expect(await openRequests(folder).claim()).toEqual([]);
    expect(namesIn(folder)).toEqual([`.${name}.tmp`]);
  });

  test("a folder of requests that is a link is not followed", async () => {
    const folder = temporaryFolder();
    const outside = temporaryFolder();
    writeFileSync(join(outside, "package.json"), "{}");
    symlinkSync(outside, join(folder, "requests"));
    expect(await openRequests(folder).claim()).toEqual([]);
    expect(sendRequest({ folder, request: cancel })).toMatchObject({ failure: { code: "ENOTDIR" } });
    expect(readdirSync(outside)).toEqual(["package.json"]);
  });

  test("a folder of claimed requests that is a link is not followed", async () => {
    const folder = temporaryFolder();
    const outside = temporaryFolder();
    send(folder, cancel);
    symlinkSync(outside, join(folder, "requests", "claimed"));
    expect(await openRequests(folder).claim()).toEqual([]);
    expect(readdirSync(outside)).toEqual([]);
  });
});

function linkToRequest(path: string): void {
  const target = join(temporaryFolder(), "request.json");
  writeFileSync(target, JSON.stringify(cancel));
  symlinkSync(target, path);
}

function writeHugeFile(path: string): void {
  writeFileSync(path, JSON.stringify(cancel).padEnd(limits.requestFileBytes + 1));
}

function skipTask(taskId: string): string {
  return JSON.stringify({ kind: "skip", taskId, why: "", by: "Ann" });
}

test("a secret that the sender's shell did not know is taken out when a request is claimed, also of its file", async () => {
  const folder = temporaryFolder();
  const secret = "f3b9-only-known-by-its-name";
  send(folder, { kind: "answer", question: "q1", text: `use ${secret}`, by: "Ann" });
  send(folder, cancel);
  const requests = openRequests(folder, createRedaction({ A_TOKEN: secret }));
  const claimed = await requests.claim();
  expect(claimed).toMatchObject([{ text: "use [redacted A_TOKEN]" }, cancel]);
  for (const name of namesIn(folder, "claimed")) {
    expect(readFileSync(join(folder, "requests/claimed", name), "utf8")).not.toContain(secret);
  }
  expect(await requests.claimedBefore()).toEqual(claimed);
});
