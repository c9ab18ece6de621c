// Ends an agent that has written its report and hangs: its work is done, and its process would hold up the run.
//
// Only the same usable report at two looks begins the grace, and any sign of work begins it anew: an agent may well
// write its report first and go on.

import { setTimeout as delay } from "node:timers/promises";
import { limits } from "../../core/limits.ts";
import type { AgentRequest } from "../../ports.ts";
import { readReport } from "../../schema/report.ts";
import { readSaidFailure } from "../../schema/report-failure.ts";
import type { PlainFileFound } from "../plain-file.ts";
import { type IdleWatch, watchIdle } from "../process/idle.ts";
import { dispatchValue } from "./protocol.ts";

export interface ReportedWatch {
  /** Fires when the agent is to be ended. */
  readonly signal: AbortSignal;
  /** There was output. */
  touch(): void;
  end(): void;
}

export function watchReported(request: AgentRequest, look: () => Promise<PlainFileFound>): ReportedWatch {
  const over = new AbortController();
  const hangs = new AbortController();
  let idle: IdleWatch | null = null;
  void watch();
  return {
    signal: hangs.signal,
    touch: () => idle?.touch(),
    end: () => {
      over.abort();
      idle?.end();
    },
  };

  async function watch(): Promise<void> {
    let before: Buffer | null = null;
    for (;;) {
      await delay(limits.reportLookMs, undefined, { signal: over.signal, ref: false }).catch(() => {});
      if (over.signal.aborted) return;
      const found = await look();
      if (over.signal.aborted) return;
      const bytes: Buffer | null = found.kind === "read" ? found.bytes : null;
      const isSame: boolean = bytes !== null && before !== null && bytes.equals(before);
      if (!isSame) idle = stopped(idle);
      else if (idle === null && bytes !== null && isUsable(request, bytes)) idle = begin();
      before = bytes;
    }
  }

  function begin(): IdleWatch {
    const watched = { idleMs: limits.exitGraceMs, dispatch: dispatchValue(request), folder: request.cwd };
    return watchIdle({ ...watched, onIdle: () => hangs.abort() });
  }
}

function stopped(idle: IdleWatch | null): null {
  idle?.end();
  return null;
}

/** Whether the agent has said all that it has to say. */
export function isUsable(request: AgentRequest, bytes: Buffer): boolean {
  const { stage, attempt: round, criteriaCount, taskIds, agentKey: agent } = request;
  if (readSaidFailure({ bytes, agent, nowMs: Date.now() })?.ok === true) return true;
  return readReport({ stage, bytes, round, criteriaCount, taskIds }).ok;
}
