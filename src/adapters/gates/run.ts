// Runs a gate: one configured command, in a tree in which no agent works, with its own timer and nothing to read.

import { createHash } from "node:crypto";
import { join } from "node:path";
import type { GateResult } from "../../core/gate-result.ts";
import { markPrefix, processMark } from "../../core/ids.ts";
import type { GatePolicy } from "../../core/policy.ts";
import { failed, type Result, success } from "../../core/result.ts";
import type { GateAnswer, GateRunner } from "../../ports.ts";
import { isOnPath, programOf, toInvocation } from "../process/command-line.ts";
import type { Confinement, Sandbox } from "../process/confinement.ts";
import { type Environment, toEnvironment } from "../process/environment.ts";
import { type Ended, launch } from "../process/launch.ts";
import { codeOf } from "../process/output.ts";
import { homeNameOf, openHome, toHomeVariables } from "../process/run-home.ts";
import type { Redaction } from "../redaction/redaction.ts";
import { captureOutput } from "./captured.ts";
import { type OfferedReport, offerReport } from "./report-file.ts";
import { type GateTests, readGateTests } from "./test-results.ts";

export interface GateRunnerOptions {
  readonly runId: string;
  /** Absolute path of the run folder; logs are named relative to it. */
  readonly runFolder: string;
  /** The builder's environment, of which gates get an allow-list. */
  readonly environment: Environment;
  /** Takes secrets out of logs and what is quoted of them. */
  readonly redaction: Redaction;
  /** Absolute folder in which gates get a HOME; null: they have the builder's. */
  readonly homes: string | null;
  /** What confines them; null: nothing does. */
  readonly sandbox: Sandbox | null;
}

type Place = Parameters<GateRunner["run"]>[0];
type Ran = Extract<Ended, { kind: "ended" }>;

export function createGateRunner(options: GateRunnerOptions): GateRunner {
  return {
    run: async (at, signal, onOutput) => {
      const report = await offerReport(at, options);
      try {
        return await runGate({ at, options, signal, onOutput, report });
      } finally {
        await report.remove();
      }
    },
  };
}

interface Running {
  readonly at: Place;
  readonly options: GateRunnerOptions;
  readonly signal: AbortSignal;
  readonly onOutput: (line: string) => void;
  readonly report: OfferedReport;
}

async function runGate({ at, options, signal, onOutput, report }: Running): Promise<GateAnswer> {
  const captured = captureOutput();
  const opened = openGateHome({ at, options });
  if (!opened.ok) return { kind: "ran", result: toCannotStart(at.gate, opened.failure) };
  const home = opened.value;
  let isWatching = false;
  const ended = await launch(
    {
      run: at.gate.command,
      cwd: at.cwd,
      dispatch: dispatchValue(at, options.runId),
      names: at.gate.env,
      given: { ...report.given, ...(home === null ? {} : toHomeVariables(home, options.environment)) },
      from: options.environment,
      log: join(options.runFolder, at.log),
      timeoutMs: at.gate.timeoutMs,
      redaction: options.redaction,
      confinement: confine({ at, options, report, home }),
      onChunk: captured.takeChunk,
      onLine: (line, stream) => {
        captured.takeLine(line, stream);
        isWatching ||= isWatchPrompt(line);
        onOutput(line);
      },
    },
    signal,
  );
  if (ended.kind === "cannot start") return { kind: "ran", result: toCannotStart(at.gate, ended.detail) };
  if (ended.interrupted) return { kind: "interrupted" };
  const judged = await judge({ at, ended, isWatching, options });
  const found = await readGateTests({
    policy: at.gate,
    cwd: at.cwd,
    captured,
    file: await report.read(),
    ended: howEnded(judged, ended),
  });
  return {
    kind: "ran",
    // Names of tests come from the whole report, which is read as it was written.
    result: options.redaction.json({
      ...toFacts(at.gate, ended),
      ...judgeTests(at.gate, judged, found),
      tests: found.tests,
    }),
  };
}

/** null: gates have the builder's. */
function openGateHome({ at, options }: Pick<Running, "at" | "options">): Result<string | null, string> {
  if (options.homes === null) return success(null);
  try {
    return success(openHome(options.homes, homeNameOf(at.cwd, "gates")));
  } catch (error) {
    return failed(`its home folder in "${options.homes}" cannot be made: ${codeOf(error)}`);
  }
}

function confine(
  to: Pick<Running, "at" | "options" | "report"> & { home: string | null },
): Confinement | null {
  const { at, options, report, home } = to;
  if (options.sandbox === null) return null;
  const writable = home === null ? report.folders : [home, ...report.folders];
  return { sandbox: options.sandbox, tree: at.cwd, writable };
}

function howEnded({ outcome }: Judgement, ended: Ran): "green" | "red" | "cut short" {
  if (outcome === "timed out" || ended.signal !== null) return "cut short";
  return outcome === "passed" ? "green" : "red";
}

/**
 * Exit code 0 is no proof where tests failed: by the report in the format that the builder named, or by one that was
 * found and names every one of them, so that those of the base can be told from new ones.
 */
function judgeTests({ report }: GatePolicy, judged: Judgement, { tests, detail }: GateTests): Judgement {
  const failed = tests?.failed ?? 0;
  if (judged.outcome !== "passed" || failed === 0) {
    return { ...judged, detail: [judged.detail, detail].filter((each) => each !== "").join("; ") };
  }
  const sentence = `exit code 0 but ${failed} ${failed === 1 ? "test" : "tests"} failed`;
  const areNamed = tests?.isNamed === true && tests.failures.length > 0;
  if (report !== "auto" || areNamed) return { outcome: "failed", detail: sentence };
  return { ...judged, detail: `${sentence}, as its output seems to say` };
}

// Unique among the run's children, also when several gates of one attempt run at the same time.
function dispatchValue({ dispatch, gate }: Place, runId: string): string {
  const whole = dispatch.startsWith(markPrefix(runId)) ? dispatch : processMark(runId, dispatch);
  return `${whole}/gate-${gate.name}`;
}

function toFacts({ name, command }: GatePolicy, ended: Ran) {
  const { exitCode, durationMs, outputSha256, outputBytes, tail } = ended;
  return { gate: name, command, exitCode, durationMs, outputSha256, outputBytes, tail };
}

function toCannotStart({ name, command }: GatePolicy, detail: string): GateResult {
  return {
    gate: name,
    command,
    outcome: "cannot start",
    exitCode: null,
    durationMs: 0,
    outputSha256: createHash("sha256").digest("hex"),
    outputBytes: 0,
    tail: "",
    detail,
    tests: null,
  };
}

type Judgement = Pick<GateResult, "outcome" | "detail">;

async function judge(wanted: {
  at: Place;
  ended: Ran;
  isWatching: boolean;
  options: GateRunnerOptions;
}): Promise<Judgement> {
  const { ended, isWatching } = wanted;
  if (ended.timedOut !== null) return { outcome: "timed out", detail: isWatching ? watchModeDetail : "" };
  if (ended.exitCode === 0) return { outcome: "passed", detail: "" };
  if (ended.exitCode === 126 || ended.exitCode === 127) return judgeNotFound(wanted);
  const detail = ended.signal === null ? "" : `the command was ended by signal ${ended.signal}`;
  return { outcome: "failed", detail };
}

const watchModeDetail = "the command started a watch mode; use a command that ends, e.g. vitest run";

// 126 and 127 are a shell's words for "may not be executed" and "not found". Only where it is the gate's own first
// program, it is the gate that cannot start; in a script that the gate runs it is what that script came to.
async function judgeNotFound({ at, ended, options }: Parameters<typeof judge>[0]): Promise<Judgement> {
  const { shell } = toInvocation(at.gate.command);
  const program = programOf(at.gate.command);
  const environment = toEnvironment({ from: options.environment, names: at.gate.env, given: {} });
  const isMissing = program === null || !(await isOnPath(program, environment, at.cwd));
  const why = ended.exitCode === 127 ? "was not found" : "may not be executed";
  if (shell && isMissing) {
    const what = program === null ? "a program in it" : `the program "${program}"`;
    return { outcome: "cannot start", detail: `${what} ${why} (exit code ${ended.exitCode})` };
  }
  const detail = `exit code ${ended.exitCode}: a program that the command starts ${why}; is "setup" needed, or not complete?`;
  return { outcome: "failed", detail };
}

const watchPrompts: readonly RegExp[] = [
  /waiting for file changes/i, // vitest, node --watch
  /watching for (?:file )?changes/i, // tsc, jest, cargo-watch
  /press h to show help/i, // vitest
  /^ *Watch Usage\b/, // jest
  /\bDEV +v\d+\.\d+/, // vitest
];

function isWatchPrompt(line: string): boolean {
  return watchPrompts.some((prompt) => prompt.test(line));
}
