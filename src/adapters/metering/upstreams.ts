// The services that the proxy stands in front of: their addresses and keys, from the builder's environment, and the
// variables by which agents find the proxy instead.

import { failed, type Result, success } from "../../core/result.ts";
import type { Environment } from "../process/environment.ts";

export type Protocol = "messages" | "responses";

export interface Service {
  /** Without a slash at its end; of `responses` with its version, as its users write it. */
  readonly baseUrl: string;
  readonly key: string;
  /** A token goes as `Authorization: Bearer`; a key as the agent would have sent it. */
  readonly isToken: boolean;
}

export type Services = { readonly [Key in Protocol]?: Service };

interface Names {
  readonly keys: readonly string[];
  readonly tokens: readonly string[];
  readonly baseUrl: string;
  readonly usualBaseUrl: string;
  /** Behind the address of the proxy. */
  readonly path: string;
}

const names: Readonly<Record<Protocol, Names>> = {
  messages: {
    keys: ["ANTHROPIC_API_KEY"],
    tokens: ["ANTHROPIC_AUTH_TOKEN"],
    baseUrl: "ANTHROPIC_BASE_URL",
    usualBaseUrl: "https://api.anthropic.com",
    path: "",
  },
  responses: {
    keys: ["OPENAI_API_KEY", "CODEX_API_KEY"],
    tokens: [],
    baseUrl: "OPENAI_BASE_URL",
    usualBaseUrl: "https://api.openai.com/v1",
    path: "/v1",
  },
};

const protocols = ["messages", "responses"] as const;

/** Header lines of the builder's own may hold a key, too. */
const otherKeys = ["ANTHROPIC_CUSTOM_HEADERS"];

/** Those that the builder has a key for. Fails with a sentence where a key would go over an open line. */
export function findServices(environment: Environment): Result<Services, string> {
  const found: { [Key in Protocol]?: Service } = {};
  for (const protocol of protocols) {
    const { keys, tokens, baseUrl: variable, usualBaseUrl } = names[protocol];
    const name = [...keys, ...tokens].find((each) => settingOf(environment, each) !== "");
    if (name === undefined) continue;
    const baseUrl = settingOf(environment, variable) || usualBaseUrl;
    const problem = addressProblem(variable, baseUrl);
    if (problem !== null) return failed(problem);
    found[protocol] = {
      baseUrl: baseUrl.replace(/\/+$/, ""),
      key: settingOf(environment, name),
      isToken: tokens.includes(name),
    };
  }
  return success(found);
}

/** For an agent: the dummy key in each variable in which the builder has one, and the address of the proxy. */
export function toVariables(
  environment: Environment,
  protocol: Protocol,
  { token, address }: { token: string; address: string },
): Readonly<Record<string, string>> {
  const { keys, tokens, baseUrl, path } = names[protocol];
  const own = [...keys, ...tokens].filter((name) => settingOf(environment, name) !== "");
  return { ...Object.fromEntries(own.map((name) => [name, token])), [baseUrl]: `${address}${path}` };
}

/** Names of every variable by which a protocol is found. */
export function variablesOf(protocol: Protocol): readonly string[] {
  const { keys, tokens, baseUrl } = names[protocol];
  return [...keys, ...tokens, baseUrl];
}

/** Never an agent's while the proxy is on. */
export const meteredKeys: readonly string[] = [
  ...protocols.flatMap((protocol) => [...names[protocol].keys, ...names[protocol].tokens]),
  ...otherKeys,
];

function settingOf(environment: Environment, name: string): string {
  return environment[name]?.trim() ?? "";
}

/** A key goes over an encrypted line, or does not leave this machine. */
function addressProblem(name: string, text: string): string | null {
  if (!URL.canParse(text)) return `${name} is no address`;
  const { protocol, hostname, username, password, origin, search } = new URL(text);
  if (username !== "" || password !== "") return `${name} must not hold a name or a password`;
  if (search !== "") return `${name} must not hold a query`;
  const isHere = hostname === "localhost" || hostname === "[::1]" || /^127\.[0-9.]+$/.test(hostname);
  if (protocol === "https:" || (protocol === "http:" && isHere)) return null;
  return `${name} ("${origin}") must be https, or http on this machine`;
}
