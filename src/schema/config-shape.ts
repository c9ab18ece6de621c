// The shape of execute-prd.config.json: every key, its type and its range. Unknown keys are errors. The JSON
// Schema that ships is made of this.

import { z } from "zod";
import { taskIdProblem } from "../core/ids.ts";
import type { Backend } from "../core/policy.ts";
import { branchNameProblem } from "./branch-name.ts";

export const availableBackends = [
  "command",
  "scripted",
  "anthropic",
  "claude-code",
  "codex",
  "gemini",
  "opencode",
  "acp",
] as const satisfies readonly Backend[];

// Timers take no more: a longer delay would fire at once.
const maxTimerMs = 2_147_483_647;

const text = (expected: string) => z.string({ error: expected });
const filledText = (expected: string) => text(expected).regex(/\S/, { error: expected });
const flag = z.boolean({ error: "true or false" }).optional();
const word = <const Words extends readonly string[]>(words: Words) =>
  z.enum(words, { error: words.join(", ") }).optional();

// A NUL ends an argument early and makes starting a program throw.
const argument = (expected: string) =>
  text(expected).regex(/^[^\0]*$/, { error: "a text without NUL characters" });
const commandLine = argument("a command line, a text");

function whole(least: number, most = Number.MAX_SAFE_INTEGER) {
  const expected = `a whole number, ${most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${most}`}`;
  return z.int({ error: expected }).min(least, { error: expected }).max(most, { error: expected }).optional();
}

function dollars() {
  const expected = "a number of US dollars, more than 0";
  return z.number({ error: expected }).gt(0, { error: expected }).optional();
}

const variableNames = z
  .array(
    text("the name of an environment variable").regex(/^[A-Za-z_][A-Za-z0-9_]*$/, {
      error: "the name of an environment variable: letters, digits and _",
    }),
    { error: "a list of names of environment variables" },
  )
  .optional();

/** A file name below the run folder, so the rules of task ids hold. */
const fileName = text("a name, a text")
  .refine((name) => taskIdProblem(name) === null, {
    error: (issue) => `a name: ${typeof issue.input === "string" ? taskIdProblem(issue.input) : "a text"}`,
  })
  .meta({ pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$" });

const agent = z.strictObject(
  {
    /** Only a role may leave it out: its role file names it, or the developer's agent plays the role. */
    backend: z.enum(availableBackends, { error: `one of ${availableBackends.join(", ")}` }).optional(),
    command: z.array(argument("a text"), { error: "program and arguments, in a list" }).optional(),
    script: filledText("the path of a script, not empty").optional(),
    timeoutMs: whole(1, maxTimerMs),
    idleTimeoutMs: whole(0, maxTimerMs),
    env: variableNames,
    auth: word(["login", "key"]),
    fallback: text("the key of another agent").optional(),
    model: argument("the name of a model").regex(/\S/, { error: "the name of a model" }).optional(),
    effort: word(["low", "medium", "high"]),
    tools: z
      .array(argument("the name of a tool").regex(/\S/, { error: "the name of a tool" }), {
        error: "a list of names of tools",
      })
      .optional(),
    instructions: text("a text").optional(),
    maxTurns: whole(0),
  },
  { error: "an agent: an object with backend" },
);

/** The front matter of a role file: what an agent's entry takes, but for the text, which is the file's. */
export const roleSettingsShape = agent.omit({ instructions: true });

const perMillion = z
  .number({ error: "US dollars per million tokens, 0 or more" })
  .min(0, { error: "US dollars per million tokens, 0 or more" });

const price = z.strictObject(
  {
    input: perMillion,
    output: perMillion,
    cacheRead: perMillion.optional(),
    cacheWrite: perMillion.optional(),
  },
  { error: "an object with input, output, cacheRead, cacheWrite" },
);

const gate = z.strictObject(
  {
    name: fileName,
    command: commandLine.regex(/\S/, { error: "a command line, not empty" }),
    timeoutMs: whole(1, maxTimerMs),
    report: word(["auto", "tap", "junit", "vitest-json", "jest-json", "node", "go-json", "none"]),
    env: variableNames,
  },
  { error: "a gate: an object with name and command" },
);

const passScore = "a number from 0 to 100";
const memoryFolder = "a folder inside the repository, with / between its parts";

const sections = {
  review: z.strictObject(
    {
      enabled: flag,
      passScore: z
        .number({ error: passScore })
        .min(0, { error: passScore })
        .max(100, { error: passScore })
        .optional(),
    },
    { error: "an object with enabled, passScore" },
  ),
  retry: z.strictObject(
    { maxRetries: whole(0), backoffBaseMs: whole(0, maxTimerMs), backoffMaxMs: whole(0, maxTimerMs) },
    { error: "an object with maxRetries, backoffBaseMs, backoffMaxMs" },
  ),
  budget: z.strictObject(
    { usd: dollars(), perTaskUsd: dollars(), wallClockMs: whole(1, maxTimerMs), maxDispatches: whole(0) },
    { error: "an object with usd, perTaskUsd, wallClockMs, maxDispatches" },
  ),
  memory: z.strictObject(
    {
      enabled: flag,
      dir: text(memoryFolder).refine(isFolderInside, { error: memoryFolder }).optional(),
    },
    { error: "an object with enabled, dir" },
  ),
  pr: z.strictObject(
    {
      enabled: flag,
      remote: text("the name of a remote")
        .regex(/^[^-\s][^\s]*$/, { error: "the name of a remote" })
        .optional(),
      base: text("a branch name, or empty")
        .refine((name) => name === "" || branchNameProblem(name) === null, {
          error: "a branch name, or empty",
        })
        .optional(),
    },
    { error: "an object with enabled, remote, base" },
  ),
};

export const configShape = z.strictObject(
  {
    $schema: text("the address of the schema").optional(),
    agents: z.record(z.string(), agent, { error: "an object: a name and an agent each" }).optional(),
    setup: commandLine.optional(),
    gates: z.array(gate, { error: "a list of gates" }).optional(),
    concurrency: whole(1),
    maxAttempts: whole(1),
    review: sections.review.optional(),
    retry: sections.retry.optional(),
    budget: sections.budget.optional(),
    prices: z.record(z.string(), price, { error: "an object: a model and its prices each" }).optional(),
    meteringProxy: flag,
    sandbox: word(["auto", "required", "off"]),
    network: flag,
    onRateLimit: word(["wait", "pause", "fallback"]),
    onInterrupted: word(["continue", "clean"]),
    precheck: word(["auto", "on", "off"]),
    recon: word(["auto", "on", "off"]),
    preMortem: word(["auto", "on", "off", "approve"]),
    onTaskFailure: word(["continue", "stop"]),
    onError: commandLine.optional(),
    protectedPaths: z.array(filledText("a path, not empty"), { error: "a list of paths" }).optional(),
    maxDeletedFiles: whole(0),
    worktreeRoot: argument("a folder, a text").optional(),
    memory: sections.memory.optional(),
    pr: sections.pr.optional(),
  },
  { error: "an object" },
);

/** What the file says, checked; what it does not say is absent. */
export type ConfigFile = z.output<typeof configShape>;
export type AgentEntry = z.output<typeof agent>;
export type RoleSettings = z.output<typeof roleSettingsShape>;
export type GateEntry = z.output<typeof gate>;

function isFolderInside(path: string): boolean {
  if (/[\0\\]/.test(path)) return false;
  return path.split("/").every((part) => !["", ".", "..", ".git"].includes(part.toLowerCase()));
}
