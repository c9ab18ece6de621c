// Lets the loop work against a stand-in of the service, and gathers what it did.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import type { AgentRunnerOptions } from "../../../../src/adapters/agents/agent-run.ts";
import { runAnthropicAgent } from "../../../../src/adapters/agents/anthropic/agent.ts";
import { type Bounds, usualBounds } from "../../../../src/adapters/agents/anthropic/bounds.ts";
import type { Judged } from "../../../../src/adapters/agents/outcome.ts";
import { createRedaction } from "../../../../src/adapters/redaction/redaction.ts";
import type { Failure } from "../../../../src/core/failure.ts";
import type { AgentPolicy } from "../../../../src/core/policy.ts";
import type { AgentRequest } from "../../../../src/ports.ts";
import {
  type AnthropicServer,
  call,
  type Reply,
  type Script,
  startAnthropicServer,
} from "../../../support/anthropic-server.ts";
import { commandPolicy, makePlace, type Place, toRequest } from "../requests.ts";

export const key = "sk-test-0123456789abcdefghij";

export interface Wanted {
  readonly place?: Place;
  readonly agent?: Partial<AgentPolicy>;
  readonly request?: Partial<AgentRequest>;
  readonly bounds?: Partial<Bounds>;
  readonly options?: Partial<AgentRunnerOptions>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly onWait?: (wait: { untilMs: number; failure: Failure }) => void;
  readonly onOutput?: (line: string) => void;
}

export interface Worked extends Judged {
  readonly place: Place;
  readonly server: AnthropicServer;
  readonly lines: readonly string[];
  readonly waits: readonly { readonly untilMs: number; readonly failure: Failure }[];
  /** The transcript, its parts put together again. */
  readonly transcript: string;
}

export const quickRetry = { maxRetries: 2, backoffBaseMs: 1, backoffMaxMs: 2 };

export async function work(script: Script, wanted: Wanted = {}): Promise<Worked> {
  const place = wanted.place ?? (await makePlace());
  const server = await startAnthropicServer(script);
  const environment = {
    PATH: process.env["PATH"],
    ANTHROPIC_API_KEY: key,
    ANTHROPIC_BASE_URL: server.url,
    ...wanted.environment,
  };
  const lines: string[] = [];
  const waits: Worked["waits"][number][] = [];
  const agent = { ...commandPolicy, backend: "anthropic" as const, ...wanted.agent };
  const judged = await runAnthropicAgent(
    {
      request: toRequest(place, { retry: quickRetry, ...wanted.request, agent }),
      options: {
        runFolder: place.runFolder,
        root: place.root,
        outside: [join(place.root, "repository")],
        checkout: join(place.root, "checkout"),
        identity: (dispatch) => ({ GIT_AUTHOR_NAME: `agent ${dispatch}` }),
        environment,
        redaction: createRedaction(environment),
        home: null,
        sandbox: null,
        ...wanted.options,
      },
      signal: wanted.signal ?? new AbortController().signal,
      onOutput: (line) => {
        lines.push(line);
        wanted.onOutput?.(line);
      },
      onWait: (wait) => {
        waits.push(wait);
        wanted.onWait?.(wait);
      },
    },
    { ...usualBounds, ...wanted.bounds },
  );
  const kept = await readFile(join(place.evidence, "transcript.jsonl"), "utf8").catch(() => "");
  return { ...judged, place, server, lines, waits, transcript: toText(kept) };
}

/** The same, where nothing that was sent may be refused. */
export async function workWell(script: Script, wanted: Wanted = {}): Promise<Worked> {
  const worked = await work(script, wanted);
  expect(worked.server.violations).toEqual([]);
  return worked;
}

export function failureOf({ outcome }: Judged): Failure | string {
  return outcome.kind === "failed" ? outcome.failure : outcome.kind;
}

export const report = { summary: "done it" };

export function reporting(input: unknown = report): Reply {
  return { content: [call("report", input)] };
}

/** An answer with these calls. */
export function calling(...calls: readonly (readonly [name: string, input: unknown])[]): Reply {
  return { content: calls.map(([name, input]) => call(name, input)) };
}

function toText(transcript: string): string {
  return transcript
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => (JSON.parse(line) as { text: string }).text) // our own lines
    .join("\n");
}
