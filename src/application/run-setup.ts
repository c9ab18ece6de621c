// Runs the builder's `setup` in a tree of a lane, through the one launcher.

import { dirname, relative } from "node:path";
import type { RunSetup } from "../adapters/git/git-run.ts";
import type { Sandbox } from "../adapters/process/confinement.ts";
import type { Environment } from "../adapters/process/environment.ts";
import { launch } from "../adapters/process/launch.ts";
import { confineSetup } from "../adapters/process/sandbox-setup.ts";
import type { Redaction } from "../adapters/redaction/redaction.ts";
import { processMark } from "../core/ids.ts";
import { limits } from "../core/limits.ts";

/** The variable that tells `setup` where the main checkout is, so that copying an env file is one line. */
const checkoutVariable = "EXECUTE_PRD_CHECKOUT";

export function createRunSetup(at: {
  runId: string;
  checkout: string;
  environment: Environment;
  redaction: Redaction;
  sandbox: Sandbox | null;
}): RunSetup {
  return async ({ command, cwd, env, log }, signal) => {
    const ended = await launch(
      {
        run: command,
        cwd,
        // Unique among the run's children: two trees may be set up at the same time.
        dispatch: processMark(at.runId, `setup/${relative(dirname(dirname(cwd)), cwd)}`),
        from: at.environment,
        given: { [checkoutVariable]: at.checkout, ...env },
        log,
        redaction: at.redaction,
        timeoutMs: limits.setupTimeoutMs,
        confinement: at.sandbox === null ? null : confineSetup(at.sandbox, cwd),
      },
      signal,
    );
    if (ended.kind === "cannot start") return ended;
    if (ended.interrupted) return { kind: "interrupted" };
    return { kind: "ended", exitCode: ended.timedOut === null ? ended.exitCode : null, tail: ended.tail };
  };
}
