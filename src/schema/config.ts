// The configuration: execute-prd.config.json to what it says, and that with flags and defaults to the policy of a
// run. Precedence: flag, file, default.

import { limits } from "../core/limits.ts";
import type { GatePolicy, Policy } from "../core/policy.ts";
import { failed, type Result, success } from "../core/result.ts";
import { checkAgents, checkDeveloper, toAgents } from "./agent-entries.ts";
import { type ConfigFile, configShape, type GateEntry } from "./config-shape.ts";
import { decodeJson, type JsonSource } from "./json-text.ts";
import { type InputProblem, ProblemList, toExcerpt } from "./problem.ts";
import { type RoleFiles, withRoles } from "./role-agents.ts";
import { valueAt } from "./value-at.ts";
import { checkShape } from "./zod-problems.ts";

export const configFileName = "execute-prd.config.json";

/** Flags of `run` and `resume` that change the policy. */
export interface PolicyFlags {
  /** Key of the agent that is the developer of this run. */
  readonly agent?: string | undefined;
  readonly concurrency?: number | undefined;
  readonly maxAttempts?: number | undefined;
  readonly budgetUsd?: number | undefined;
  readonly yes?: boolean | undefined;
  readonly only?: readonly string[] | undefined;
}

export interface PolicySource {
  readonly config: ConfigFile;
  readonly flags: PolicyFlags;
  /** Taken when the file names no gates. */
  readonly detectedGates: readonly GatePolicy[];
  /** Taken when the file has no `setup`. */
  readonly detectedSetup?: string;
}

/** Without agents and gates: nothing can stand in for them. */
export const defaultPolicy: Policy = {
  agents: {},
  setup: "",
  gates: [],
  concurrency: 1,
  maxAttempts: 3,
  review: { enabled: true, passScore: 80 },
  retry: { maxRetries: 3, backoffBaseMs: 1_000, backoffMaxMs: 32_000 },
  budget: { usd: 25, perTaskUsd: 5, wallClockMs: 28_800_000, maxDispatches: 0 },
  prices: {},
  meteringProxy: false,
  sandbox: "auto",
  network: true,
  onRateLimit: "wait",
  onInterrupted: "continue",
  precheck: "auto",
  recon: "auto",
  preMortem: "auto",
  onTaskFailure: "continue",
  onError: "",
  protectedPaths: [],
  maxDeletedFiles: 10,
  worktreeRoot: "",
  memory: { enabled: true, dir: "memory" },
  yes: false,
  only: null,
};

/** What role files say is in the agents of the result, where the configuration does not say otherwise. */
export function readConfig(
  source: JsonSource,
  roles: RoleFiles = {},
): Result<ConfigFile, readonly InputProblem[]> {
  const json = decodeJson(source, limits.prdBytes);
  if (!json.ok) return failed([withHint(json.failure)]);
  const problems = new ProblemList(source.file);
  checkShape({ shape: configShape, value: json.value, problems });
  const value = withRoles(json.value, roles);
  const isWritten = (name: string) => valueAt(json.value, ["agents", name]) !== undefined;
  checkAgents(valueAt(value, ["agents"]), isWritten, problems);
  checkGateNames(valueAt(value, ["gates"]), problems);
  checkBackoff(value, problems);
  return problems.isEmpty ? success(configShape.parse(value)) : failed(problems.all().map(withHint));
}

function withHint(problem: InputProblem): InputProblem {
  if (problem.hint !== "") return problem;
  const isWhole = problem.path === "" || problem.path.startsWith("line ");
  const hint = isWhole ? 'see what "execute-prd init" writes' : "correct it, or leave it out for the default";
  return { ...problem, hint };
}

/** Fails when there is no developer, or a flag names or says what cannot be. */
export function toPolicy(source: PolicySource): Result<Policy, readonly InputProblem[]> {
  const { config, flags } = source;
  const problems = [...checkDeveloper(config, flags.agent, configFileName), ...checkFlags(flags)];
  if (problems.length > 0) return failed(problems);
  return success({
    ...defaultPolicy,
    ...withoutUndefined(pickPlain(config)),
    agents: toAgents(config, flags.agent),
    prices: toPrices(config),
    setup: config.setup ?? source.detectedSetup ?? defaultPolicy.setup,
    gates: config.gates?.map(toGate) ?? source.detectedGates,
    concurrency: flags.concurrency ?? config.concurrency ?? defaultPolicy.concurrency,
    maxAttempts: flags.maxAttempts ?? config.maxAttempts ?? defaultPolicy.maxAttempts,
    review: { ...defaultPolicy.review, ...withoutUndefined(config.review) },
    retry: { ...defaultPolicy.retry, ...withoutUndefined(config.retry) },
    budget: {
      ...defaultPolicy.budget,
      ...withoutUndefined(config.budget),
      ...withoutUndefined({ usd: flags.budgetUsd }),
    },
    memory: { ...defaultPolicy.memory, ...withoutUndefined(config.memory) },
    yes: flags.yes ?? defaultPolicy.yes,
    only: flags.only ?? defaultPolicy.only,
  });
}

/** The keys that need neither a default inside nor a flag. */
function pickPlain(config: ConfigFile) {
  return {
    meteringProxy: config.meteringProxy,
    sandbox: config.sandbox,
    network: config.network,
    onRateLimit: config.onRateLimit,
    onInterrupted: config.onInterrupted,
    precheck: config.precheck,
    recon: config.recon,
    preMortem: config.preMortem,
    onTaskFailure: config.onTaskFailure,
    onError: config.onError,
    protectedPaths: config.protectedPaths,
    maxDeletedFiles: config.maxDeletedFiles,
    worktreeRoot: config.worktreeRoot,
  };
}

type Present<Source> = { [Key in keyof Source]?: Exclude<Source[Key], undefined> };

function withoutUndefined<Source extends object>(source: Source | undefined): Present<Source> {
  const entries = Object.entries(source ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Present<Source>; // the same keys, only fewer
}

/** What is not said of caches costs as much as fresh input. */
function toPrices({ prices = {} }: ConfigFile): Policy["prices"] {
  return Object.fromEntries(
    Object.entries(prices).map(([model, { input, output, cacheRead = input, cacheWrite = input }]) => [
      model,
      { input, output, cacheRead, cacheWrite },
    ]),
  );
}

function toGate(entry: GateEntry): GatePolicy {
  return {
    name: entry.name,
    command: entry.command,
    timeoutMs: entry.timeoutMs ?? limits.gateTimeoutMs,
    report: entry.report ?? "auto",
    env: entry.env ?? [],
  };
}

/** Ignoring case: a gate's log is a file of its name. */
function checkGateNames(gates: unknown, problems: ProblemList): void {
  if (!Array.isArray(gates)) return;
  const first = new Map<string, number>();
  for (const [index, gate] of gates.entries()) {
    const name = valueAt(gate, ["name"]);
    if (typeof name !== "string") continue;
    const earlier = first.get(name.toLowerCase());
    if (earlier === undefined) {
      first.set(name.toLowerCase(), index);
      continue;
    }
    const hint = `gates[${earlier}] has it already`;
    problems.add(["gates", index, "name"], () => ({
      value: name,
      expected: "a name of its own, ignoring case",
      hint,
    }));
  }
}

function checkBackoff(config: unknown, problems: ProblemList): void {
  const base = valueAt(config, ["retry", "backoffBaseMs"]) ?? defaultPolicy.retry.backoffBaseMs;
  const most = valueAt(config, ["retry", "backoffMaxMs"]) ?? defaultPolicy.retry.backoffMaxMs;
  if (typeof base !== "number" || typeof most !== "number" || base <= most) return;
  const expected = `at least retry.backoffBaseMs, which is ${base}`;
  problems.add(["retry", "backoffMaxMs"], () => ({ value: most, expected }));
}

function checkFlags(flags: PolicyFlags): readonly InputProblem[] {
  const isCount = (value: number) => Number.isSafeInteger(value) && value >= 1;
  const checks: readonly [string, number | undefined, (value: number) => boolean, string][] = [
    ["--concurrency", flags.concurrency, isCount, "a whole number, 1 or more"],
    ["--max-attempts", flags.maxAttempts, isCount, "a whole number, 1 or more"],
    [
      "--budget-usd",
      flags.budgetUsd,
      (usd) => Number.isFinite(usd) && usd > 0,
      "a number of US dollars, more than 0",
    ],
  ];
  const problems = checks.flatMap(([name, value, isGood, expected]) =>
    value === undefined || isGood(value) ? [] : [flagProblem(name, value, { expected, hint: "" })],
  );
  if (flags.only === undefined || flags.only.length > 0) return problems;
  return [...problems, flagProblem("--only", flags.only, { expected: "ids of tasks", hint: "" })];
}

function flagProblem(path: string, value: unknown, words: { expected: string; hint: string }): InputProblem {
  return { file: "", path, value: toExcerpt(value), ...words };
}
