// `pause`, `answer`, `retry`, `skip`, `cancel`: the builder's words to a run.

import { steer, type Wish } from "../../library.ts";
import { nextCommands } from "../../views/next-commands.ts";
import { toStatus } from "../../views/status-json.ts";
import { type Output, printRefusal } from "./output.ts";

export async function steerAndShow(
  output: Output,
  at: { cwd?: string; slug: string; wish: Wish },
): Promise<number> {
  const steered = await steer(at);
  if (!steered.ok) return printRefusal(output, steered.failure);
  const { state, isLive } = steered.value;
  if (output.isJson) output.data({ ok: true, live: isLive, status: toStatus(state).status });
  else if (isLive) output.line(`asked the program that works on "${at.slug}"`);
  else {
    output.line(`recorded; run "${at.slug}" is ${state.phase.kind}`);
    for (const command of nextCommands(state)) output.line(`  ${command}`);
  }
  return 0;
}
