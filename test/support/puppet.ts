// Runs a puppet program: commands in, answers out, one JSON document a line.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

export interface Puppet<Command> {
  readonly pid: number;
  tell(command: Command): Promise<unknown>;
  signal(name: NodeJS.Signals): void;
  /** Kills it and waits until it is gone. */
  kill(): Promise<void>;
}

/** Resolves when the program has said that it is ready. */
export async function startPuppet<Command>(script: string): Promise<Puppet<Command>> {
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(process.execPath, [script], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async (): Promise<unknown> => {
    const { done, value } = await lines.next();
    if (done === true) throw new Error("the puppet ended without an answer");
    return JSON.parse(value);
  };
  await read();
  const ended = once(child, "close");
  return {
    pid: child.pid ?? 0,
    tell: (command) => {
      child.stdin.write(`${JSON.stringify(command)}\n`);
      return read();
    },
    signal: (name) => child.kill(name),
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
