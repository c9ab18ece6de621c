// Writes files for an ACP agent that asks its client to, which some do although nothing was offered.
//
// A process in the agent's own sandbox writes: what the agent changes while a path is looked at gains it nothing that
// it could not write itself. One after another, and none after the dispatch.

import { limits } from "../../core/limits.ts";
import { launch } from "../process/launch.ts";
import { denialOf, type PermissionRules } from "./acp-permission.ts";
import { isRecord } from "./acp-stream.ts";
import { agentConfinement, homeVariables } from "./agent-place.ts";
import type { AgentRun } from "./agent-run.ts";
import { dispatchValue } from "./protocol.ts";

export interface AcpWriting {
  /** Why it was not written, or null. `params`: of the agent's request, as they came. */
  write(params: unknown): Promise<string | null>;
  /** Resolves when nothing is written any more. */
  end(): Promise<void>;
}

export function openAcpWriting(run: AgentRun, rules: PermissionRules): AcpWriting {
  const over = new AbortController();
  let last: Promise<unknown> = Promise.resolve();
  let asked = 0;
  let waiting = 0;
  return {
    write: async (params) => {
      const file = toFile(params);
      if (file === null) return "its path or content cannot be used";
      const denial = denialOf(
        { toolCallId: "", title: "", kind: "edit", paths: [file.path], options: [] },
        rules,
      );
      if (denial !== null) return denial;
      if (waiting >= limits.acpWritesWaiting) return "too many files at once";
      asked += 1;
      waiting += 1;
      const dispatch = `${dispatchValue(run.request)}.write-${asked}`;
      const written = last.then(() => writeInSandbox(run, { ...file, dispatch, signal: over.signal }));
      last = written;
      const problem = await written;
      waiting -= 1;
      return problem;
    },
    end: async () => {
      over.abort();
      await last;
    },
  };
}

interface File {
  readonly path: string;
  readonly text: string;
}

function toFile(params: unknown): File | null {
  if (!isRecord(params)) return null;
  const { path, content: text } = params;
  if (typeof path !== "string" || path === "" || path.includes("\0") || typeof text !== "string") return null;
  if (path.split(/[\\/]/).some((part) => part.toLowerCase() === ".git")) return null;
  return Buffer.byteLength(text) > limits.toolFileBytes ? null : { path, text };
}

const script = `
const { closeSync, constants, fstatSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeFileSync } = require("node:fs");
const to = process.argv[1];
const text = readFileSync(0);
mkdirSync(require("node:path").dirname(to), { recursive: true });
const file = openSync(to, constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o666);
if (!fstatSync(file).isFile()) throw new Error("it is no file");
ftruncateSync(file, 0);
writeFileSync(file, text);
closeSync(file);
`;

async function writeInSandbox(
  run: AgentRun,
  { path, text, dispatch, signal }: File & { readonly dispatch: string; readonly signal: AbortSignal },
): Promise<string | null> {
  const ended = await launch(
    {
      run: [process.execPath, "-e", script, path],
      cwd: run.request.cwd,
      dispatch,
      given: homeVariables(run),
      from: run.options.environment,
      input: text,
      timeoutMs: limits.acpWriteMs,
      redaction: run.options.redaction,
      confinement: agentConfinement(run, []),
    },
    signal,
  );
  if (ended.kind === "cannot start") return ended.detail;
  return ended.exitCode === 0 ? null : "it could not be written";
}
