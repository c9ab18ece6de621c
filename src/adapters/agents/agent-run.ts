// One request being worked on by a backend, and what all backends are given.

import type { DispatchId } from "../../core/ids.ts";
import type { AgentContact, AgentRequest } from "../../ports.ts";
import type { Metering } from "../metering/metering.ts";
import type { Sandbox } from "../process/confinement.ts";
import type { Environment } from "../process/environment.ts";
import type { Redaction } from "../redaction/redaction.ts";

export interface AgentRunnerOptions {
  /** Absolute path of the run folder; evidence is kept in it. */
  readonly runFolder: string;
  /** Absolute path that a relative `script` of a scripted agent is seen from: the folder of the configuration. */
  readonly root: string;
  /** Absolute paths of folders that no drop folder may lie in: the checkout, the repository, the worktree root. */
  readonly outside: readonly string[];
  /** Variables that give git the identity of a dispatch. */
  readonly identity: (dispatch: DispatchId) => Readonly<Record<string, string>>;
  /** Absolute path of the main checkout: what a plan names and only lies there is copied for the agent. */
  readonly checkout: string;
  /** The builder's environment, of which agents get an allow-list. */
  readonly environment: Environment;
  /** Whether agents may use the network; missing: they may. */
  readonly network?: boolean;
  /** Where agents ask their services through, when the run wants it; missing: nowhere. */
  readonly metering?: Metering;
  /** Takes secrets out of prompt, request, report, transcript and copied files. */
  readonly redaction: Redaction;
  /** HOME of this dispatch, absolute; null or missing: the builder's. */
  readonly home?: string | null;
  /** What confines the agent's process; null or missing: nothing does. */
  readonly sandbox?: Sandbox | null;
}

/** One request being worked on. */
export interface AgentRun extends AgentContact {
  readonly request: AgentRequest;
  readonly options: AgentRunnerOptions;
}
