// What a run of a gate came to, and what several runs come to together.

/** What a gate's own report says of its tests. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Names of the failing tests: stable between runs, sorted, bounded. */
  readonly failures: readonly string[];
  /** Whether every failing test is named: only then can one be told from another. */
  readonly isNamed: boolean;
}

/**
 * What a run of a gate is for. `candidate`: the commit as it is. `again`: the same once more, because a test that
 * failed may be flaky. `base tests` and `base definitions`: the commit with the base's version of the tests, or of
 * what gates depend on, that it changed.
 */
export type GateTrial = "candidate" | "again" | "base tests" | "base definitions";

export interface GateTrialResult {
  readonly trial: GateTrial;
  readonly result: GateResult;
}

/** What a gate's results come to for one candidate. */
export interface GateJudgement {
  readonly gate: string;
  /** `excused`: red only by tests that fail on the head too. `accepted`: red, as the builder accepted it on the base. */
  readonly verdict: "passed" | "flaky" | "excused" | "accepted" | "failed";
  /** Tests that fail here and not on the head that the candidate stands on. */
  readonly newFailures: readonly string[];
  readonly excused: readonly string[];
  /** Tests that failed once and passed when they were run again. */
  readonly flaky: readonly string[];
}

export interface GateResult {
  readonly gate: string;
  readonly command: string;
  readonly outcome: "passed" | "failed" | "timed out" | "cannot start";
  readonly exitCode: number | null;
  readonly durationMs: number;
  /** SHA-256 (hex) of the stored log. */
  readonly outputSha256: string;
  readonly outputBytes: number;
  /** The end of the output, for prompts and screens. */
  readonly tail: string;
  /** Why, where the exit code does not say it: a watch mode, a missing program. Empty otherwise. */
  readonly detail: string;
  readonly tests: TestCounts | null;
}
