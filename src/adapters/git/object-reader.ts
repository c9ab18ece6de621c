// Reads objects through one git that stays: `cat-file --batch-command`. It is started when it is first asked, does not
// keep this program alive, ends with it (its input ends then), and is started anew when it was ended by somebody.

import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { Failure } from "../../core/failure.ts";
import { limits } from "../../core/limits.ts";
import type { Result } from "../../core/result.ts";
import { failed, success } from "../../core/result.ts";
import { startGit } from "./run-git.ts";

export interface ObjectReader {
  /**
   * What `cat-file --batch-check` (`info`) or `--batch` (`contents`) says about objects, one after another. A name may
   * hold no line feed.
   */
  ask(
    what: "info" | "contents",
    at: { readonly names: readonly string[]; readonly doing: string },
  ): Promise<Result<Buffer, Failure>>;
  /** What is asked after that starts it again. */
  close(): void;
}

export function openObjectReader(gitDir: string): ObjectReader {
  let running: Session | null = null;
  let last: Promise<unknown> = Promise.resolve();
  async function askOnce(text: string, doing: string): Promise<Result<Buffer, Failure>> {
    if (running === null || running.hasEnded()) running = openSession(gitDir);
    return running.ask(text, doing);
  }
  return {
    ask(what, { names, doing }) {
      if (names.length === 0) return Promise.resolve(success(Buffer.alloc(0)));
      const text = names.map((name) => `${what} ${name}\n`).join("");
      const answer = last.then(async () => {
        const first = await askOnce(text, doing);
        // Somebody ended it, also while it was idle.
        return first.ok || running?.hasEnded() !== true ? first : askOnce(text, doing);
      });
      last = answer;
      return answer;
    },
    close() {
      running?.close();
      running = null;
    },
  };
}

interface Session {
  ask(text: string, doing: string): Promise<Result<Buffer, Failure>>;
  hasEnded(): boolean;
  close(): void;
}

interface Asked {
  readonly chunks: Buffer[];
  /** What its answer ends with: what git says of a name that nothing can have. */
  readonly end: Buffer;
  tail: Buffer;
  readonly settle: (problem: string | null) => void;
}

function openSession(gitDir: string): Session {
  const child = startGit({ gitDir, args: ["cat-file", "--batch-command"], doing: "reading objects" });
  let asked: Asked | null = null;
  let hasEnded = false;
  let said = "";
  const end = (why: string): void => {
    hasEnded = true;
    asked?.settle(why);
  };
  child.on("error", (error) => end(error.message));
  child.on("close", (exitCode) => end(`git ended with ${exitCode}: ${said}`));
  child.stdin?.on("error", () => {}); // its end is told by "close"
  child.stderr?.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString("utf8")).slice(-errorChars);
  });
  child.stdout?.on("data", (chunk: Buffer) => {
    if (asked === null) return;
    asked.chunks.push(chunk);
    asked.tail = Buffer.concat([asked.tail, chunk]).subarray(-asked.end.length);
    if (asked.tail.equals(asked.end)) asked.settle(null);
  });
  keepAlive(child, false);
  return {
    ask: (text, doing) =>
      new Promise((resolve) => {
        const mark = randomBytes(16).toString("hex");
        const timer = setTimeout(() => child.kill("SIGKILL"), limits.gitTimeoutMs);
        const chunks: Buffer[] = [];
        const settle = (problem: string | null): void => {
          asked = null;
          clearTimeout(timer);
          keepAlive(child, false);
          const bytes = Buffer.concat(chunks);
          resolve(
            problem === null
              ? success(bytes.subarray(0, bytes.length - markEnd(mark).length))
              : failed({ reason: "git-failed", doing, exitCode: null, detail: problem }),
          );
        };
        asked = { chunks, end: markEnd(mark), tail: Buffer.alloc(0), settle };
        if (hasEnded) return settle("git has ended");
        keepAlive(child, true);
        child.stdin?.write(`${text}info ${mark}\n`);
      }),
    hasEnded: () => hasEnded,
    close: () => child.stdin?.end(),
  };
}

const errorChars = 2_000;

function markEnd(mark: string): Buffer {
  return Buffer.from(`${mark} missing\n`);
}

/** The program waits for it only while it is asked. Its pipes are sockets to Node, which the types do not say. */
function keepAlive(child: ChildProcess, isNeeded: boolean): void {
  const verb = isNeeded ? "ref" : "unref";
  for (const each of [child, child.stdin, child.stdout, child.stderr]) {
    const handle: unknown = each;
    if (handle instanceof Object && verb in handle) {
      const call: unknown = Reflect.get(handle, verb);
      if (typeof call === "function") call.call(handle);
    }
  }
}
