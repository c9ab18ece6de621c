// A project whose agents have keys of services on this machine and ask them through the metering proxy.
import { existsSync, readFileSync } from "node:fs";
import { task } from "../../support/project-fixture.ts";
import { agentPath, type Json, type Project, plain, project, quick, type Rule } from "./e2e-project.ts";
import { toJsonLines } from "./program.ts";

export const anthropicKey = "sk-ant-e2e-real-0123456789abcdef";
export const openaiKey = "sk-e2e-real-fedcba9876543210";

export interface MeteredProject extends Project {
  /** What agents noted, in their order. */
  notes(): Json[];
}

/** The variables of the shell that starts the program. */
export function keysAt(url: string): Readonly<Record<string, string>> {
  return {
    ANTHROPIC_API_KEY: anthropicKey,
    ANTHROPIC_BASE_URL: url,
    OPENAI_API_KEY: openaiKey,
    OPENAI_BASE_URL: `${url}/v1`,
  };
}

/**
 * For the code of a rule: `messages` and `responses` ask the services by the variables that an agent has; `note`
 * writes down what the test is to see, beside the checkout and past every redaction.
 */
const asking = `
const post = async (url, headers, body) => {
  const wanted = { method: "POST", redirect: "manual", headers: { "content-type": "application/json", ...headers } };
  const answer = await fetch(url, { ...wanted, body: JSON.stringify(body) }).catch((error) => ({
    status: 0, headers: new Headers(), text: async () => String(error.cause?.code ?? error) }));
  return { status: answer.status, location: answer.headers.get("location"), text: await answer.text() };
};
const messages = ({ stream = false, key = env.ANTHROPIC_API_KEY, model = "claude-sonnet-5-5" } = {}) =>
  post(env.ANTHROPIC_BASE_URL + "/v1/messages", { "x-api-key": key, "anthropic-version": "2023-06-01" },
    { model, stream, max_tokens: 8, messages: [] });
const responses = ({ stream = false, model = "gpt-e2e" } = {}) =>
  post(env.OPENAI_BASE_URL + "/responses", { authorization: "Bearer " + env.OPENAI_API_KEY },
    { model, stream, input: [] });
const note = (value) => fs.appendFileSync(env.TEST_AGENT + ".notes", JSON.stringify(value) + "\\n");
`;

export function asks(stage: string, code: string, rest: Partial<Rule> = {}): Rule {
  return { stage, code: `${asking}\n${code}`, ...rest };
}

/** Asks once, and gives up where it is not answered. */
const once = "if ((await messages()).status !== 200) process.exit(1);";

/** Every role asks once. */
export const everyRole = ["develop", "review", "holistic-review"].map((stage) => asks(stage, once));

const agent = {
  backend: "command",
  command: ["node", agentPath],
  env: ["TEST_AGENT", "ANTHROPIC_API_KEY", "OPENAI_API_KEY"],
};

export const metered = {
  ...quick,
  agents: { developer: agent, reviewer: agent, orchestrator: agent },
  meteringProxy: true,
  retry: { maxRetries: 3, backoffBaseMs: 10, backoffMaxMs: 20 },
  prices: { "gpt-e2e": { input: 1, output: 10, cacheRead: 0.1, cacheWrite: 0 } },
};

export function meteredProject(wanted: {
  readonly rules?: readonly Rule[];
  readonly config?: object;
  readonly tasks?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
}): MeteredProject {
  const made = project({
    prd: plain(...(wanted.tasks ?? ["a"]).map((id) => task(id))),
    config: { ...metered, ...wanted.config },
    rules: wanted.rules ?? everyRole,
    files: wanted.files ?? {},
  });
  const file = `${made.folder}/rules.json.notes`;
  return { ...made, notes: () => (existsSync(file) ? toJsonLines(readFileSync(file, "utf8")) : []) };
}

/** The usage of each dispatch, in the order of their ends. */
export function usages(plan: Project): readonly (Json | null)[] {
  return plan
    .events()
    .flatMap(({ kind, usage }) => (kind === "dispatch-ended" ? [usage as Json | null] : []));
}
