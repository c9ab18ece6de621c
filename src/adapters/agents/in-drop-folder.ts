// One dispatch with a drop folder of its own, which goes with it.

import type { AgentRun } from "./agent-run.ts";
import { type DropFolder, openDropFolder } from "./drop-folder.ts";
import { failedWith, type Judged } from "./outcome.ts";

export async function inDropFolder(
  { request, options }: AgentRun,
  work: (folder: DropFolder) => Promise<Judged>,
): Promise<Judged> {
  const opened = await openDropFolder({
    runId: request.runId,
    outside: [...options.outside, options.runFolder, request.cwd],
  });
  if (!opened.ok) return failedWith(opened.failure);
  try {
    return await work(opened.value);
  } finally {
    await opened.value.remove();
  }
}
