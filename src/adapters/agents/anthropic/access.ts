// How the loop logs in: the key and the address of the service, from the builder's environment alone.

import type { Failure } from "../../../core/failure.ts";
import { failed, type Result, success } from "../../../core/result.ts";
import type { Environment } from "../../process/environment.ts";

export interface Access {
  readonly key: string;
  readonly baseUrl: string;
}

/** Never handed to a child, whatever the policy names. */
export const keyVariables: readonly string[] = [
  "ANTHROPIC_API_KEY",
  "ANTHROPIC_AUTH_TOKEN",
  "ANTHROPIC_CUSTOM_HEADERS",
];

const usualBaseUrl = "https://api.anthropic.com";

export function findAccess(environment: Environment, agent: string): Result<Access, Failure> {
  const name = isSet(environment, "ANTHROPIC_API_KEY") ? "ANTHROPIC_API_KEY" : "ANTHROPIC_AUTH_TOKEN";
  const key = environment[name]?.trim() ?? "";
  if (key === "") {
    const detail = "neither ANTHROPIC_API_KEY nor ANTHROPIC_AUTH_TOKEN is set; set one of them and resume";
    return failed({ reason: "not-logged-in", agent, detail });
  }
  if (!/^[\x21-\x7e]+$/.test(key)) {
    const detail = `${name} holds characters that a key cannot have; set it again and resume`;
    return failed({ reason: "not-logged-in", agent, detail });
  }
  const baseUrl = environment["ANTHROPIC_BASE_URL"]?.trim() || usualBaseUrl;
  const problem = baseUrlProblem(baseUrl);
  if (problem === null) return success({ key, baseUrl: baseUrl.replace(/\/+$/, "") });
  return failed({ reason: "agent-cannot-start", agent, command: "anthropic", detail: problem });
}

function isSet(environment: Environment, name: string): boolean {
  return (environment[name]?.trim() ?? "") !== "";
}

/** A key goes over an encrypted line, or does not leave this machine. */
function baseUrlProblem(text: string): string | null {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return "ANTHROPIC_BASE_URL is no address";
  }
  if (url.username !== "" || url.password !== "")
    return "ANTHROPIC_BASE_URL must not hold a name or a password";
  if (url.protocol === "https:") return null;
  const isHere =
    url.hostname === "localhost" || url.hostname === "[::1]" || /^127\.[0-9.]+$/.test(url.hostname);
  if (url.protocol === "http:" && isHere) return null;
  return `ANTHROPIC_BASE_URL ("${url.origin}") must be https, or http on this machine`;
}
