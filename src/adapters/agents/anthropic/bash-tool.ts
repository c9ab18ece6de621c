// The tool `bash`: one command line in the lane, through the one launcher of all children.

import { z } from "zod";
import { limits } from "../../../core/limits.ts";
import { type Ended, launch } from "../../process/launch.ts";
import { agentConfinement, homeVariables } from "../agent-place.ts";
import { dispatchValue, toAgentVariables } from "../protocol.ts";
import { keyVariables } from "./access.ts";
import { defineTool, refused, type ToolAnswer, type ToolPlace } from "./tool.ts";

export const bashTool = defineTool({
  name: "bash",
  description: `Runs a command line with bash in the working directory, without input. Its output (standard and error) comes back, head and tail where it is long. It is ended after ${limits.shellTimeoutMs / 1_000} seconds, or after "timeoutMs". Whatever it starts in the background is ended with it. Each call is a new shell.`,
  isChanging: true,
  input: z.object({
    command: z.string().describe("The command line"),
    timeoutMs: z.int().min(1).nullish().describe(`At most ${limits.shellTimeoutMostMs} milliseconds`),
  }),
  run: async (place, input) => {
    const timeoutMs = Math.min(input.timeoutMs ?? limits.shellTimeoutMs, limits.shellTimeoutMostMs);
    const output = keepHeadAndTail(limits.toolResultChars);
    const ended = await start(place, { command: input.command, timeoutMs, onLine: output.add });
    return toAnswer(ended, { timeoutMs, text: output.text() });
  },
});

/** In the sandbox and the home of an agent's own program. */
function start(
  { run, root, signal }: ToolPlace,
  wanted: { command: string; timeoutMs: number; onLine: (line: string) => void },
): Promise<Ended> {
  const { request, options } = run;
  return launch(
    {
      run: ["bash", "-c", wanted.command],
      cwd: root,
      dispatch: dispatchValue(request),
      // What the loop itself logs in with is not for the programs that it runs.
      names: request.agent.env.filter((name) => !keyVariables.includes(name)),
      given: { ...options.identity(request.dispatch), ...toAgentVariables(request), ...homeVariables(run) },
      from: options.environment,
      timeoutMs: wanted.timeoutMs,
      redaction: options.redaction,
      confinement: agentConfinement(run, []),
      onLine: wanted.onLine,
    },
    signal,
  );
}

function toAnswer(ended: Ended, { timeoutMs, text }: { timeoutMs: number; text: string }): ToolAnswer {
  if (ended.kind === "cannot start") return refused(`bash cannot be started: ${ended.detail}`);
  const shown = text === "" ? "(no output)" : text;
  if (ended.interrupted) return refused(`${shown}\n[stopped]`);
  if (ended.timedOut !== null) return refused(`${shown}\n[ended after ${timeoutMs} ms: it took too long]`);
  if (ended.exitCode === 0) return { ok: true, text: shown };
  const how = ended.signal === null ? `exit code ${ended.exitCode}` : `signal ${ended.signal}`;
  return refused(`${shown}\n[${how}]`);
}

/** Whole lines from both ends of an output of any length. */
function keepHeadAndTail(maxChars: number) {
  const half = Math.floor(maxChars / 2);
  const head: string[] = [];
  let headChars = 0;
  let tail: string[] = [];
  let tailChars = 0;
  let dropped = 0;
  function trim(): void {
    let from = 0;
    while (tailChars > half && from < tail.length - 1) {
      tailChars -= (tail[from]?.length ?? 0) + 1;
      from += 1;
    }
    dropped += from;
    tail = tail.slice(from);
  }
  return {
    add: (line: string): void => {
      if (tail.length === 0 && headChars + line.length < half) {
        head.push(line);
        headChars += line.length + 1;
        return;
      }
      tail.push(line);
      tailChars += line.length + 1;
      if (tailChars > 4 * half) trim(); // now and then only: a flood of short lines stays cheap
    },
    text: (): string => {
      trim();
      const gap = dropped === 0 ? [] : [`[… ${dropped} lines left out …]`];
      return [...head, ...gap, ...tail].join("\n");
    },
  };
}
