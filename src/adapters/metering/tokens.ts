// The tokens that an answer of a service used: from its events while they stream by, or from its one object.
//
// Both protocols say what was used in the answer itself; nothing is estimated. What is longer than its bound, cut
// short or of another shape leaves the tokens unknown, which is said and never taken for nothing.

import { limits } from "../../core/limits.ts";
import type { Protocol } from "./upstreams.ts";

export interface Tokens {
  readonly model: string | null;
  /** Fresh: neither read from a cache nor written to one. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
}

export interface TokenReader {
  /** Bytes of the answer's body, as they come. */
  take(chunk: Buffer): void;
  /** The body is whole. */
  end(): void;
  /** Of what came up to now; null: not known. */
  tokens(): Tokens | null;
}

/** `isStream`: the answer is a stream of events. */
export function readTokens(protocol: Protocol, isStream: boolean): TokenReader {
  const reading = protocol === "messages" ? readMessages() : readResponses();
  const pieces = splitAnswer(isStream, (text) => {
    const value = parse(text);
    if (isRecord(value)) reading.take(isStream ? value : wholeAnswer(protocol, value));
  });
  return {
    take: pieces.take,
    end: pieces.end,
    tokens: reading.tokens,
  };
}

type Fields = Readonly<Record<string, unknown>>;

interface Reading {
  take(event: Fields): void;
  tokens(): Tokens | null;
}

/** An answer that is not streamed, as the event that a stream would have ended with. */
function wholeAnswer(protocol: Protocol, value: Fields): Fields {
  return protocol === "messages"
    ? { type: "message_start", message: value }
    : { type: "response.completed", response: value };
}

/** `message_start` says the input, `message_delta` the output and whatever has changed. Each number is a total. */
function readMessages(): Reading {
  let model: string | null = null;
  let usage: Fields | null = null;
  return {
    take: (event) => {
      const { message } = event;
      if (event["type"] === "message_start" && isRecord(message)) {
        model = textOf(message["model"]);
        if (isRecord(message["usage"])) usage = message["usage"];
      } else if (event["type"] === "message_delta" && isRecord(event["usage"])) {
        usage = { ...usage, ...withoutNulls(event["usage"]) };
      }
    },
    tokens: () =>
      usage === null
        ? null
        : {
            model,
            inputTokens: countOf(usage["input_tokens"]),
            outputTokens: countOf(usage["output_tokens"]),
            cacheReadTokens: countOf(usage["cache_read_input_tokens"]),
            cacheWriteTokens: countOf(usage["cache_creation_input_tokens"]),
          },
  };
}

const lastResponses = ["response.completed", "response.incomplete", "response.failed"];

/** The last event holds the whole response. Its input counts what came from the cache as well. */
function readResponses(): Reading {
  let found: Tokens | null = null;
  return {
    take: ({ type, response }) => {
      if (!lastResponses.some((each) => each === type) || !isRecord(response)) return;
      const { usage } = response;
      if (!isRecord(usage)) return;
      const details = isRecord(usage["input_tokens_details"]) ? usage["input_tokens_details"] : {};
      const cacheReadTokens = countOf(details["cached_tokens"]);
      found = {
        model: textOf(response["model"]),
        inputTokens: Math.max(0, countOf(usage["input_tokens"]) - cacheReadTokens),
        outputTokens: countOf(usage["output_tokens"]),
        cacheReadTokens,
        cacheWriteTokens: 0,
      };
    },
    tokens: () => found,
  };
}

/** Calls back with the data of each event, or, where there are no events, with all at the end. */
function splitAnswer(isStream: boolean, onData: (text: string) => void) {
  let parts: Buffer[] = [];
  let length = 0;
  let isTooLong = false;
  function flush(): string {
    const text = isTooLong ? "" : Buffer.concat(parts, length).toString("utf8");
    parts = [];
    length = 0;
    isTooLong = false;
    return text;
  }
  function add(chunk: Buffer): void {
    if (length + chunk.length > limits.meteredEventBytes) {
      isTooLong = true;
      parts = [];
      length = 0;
    }
    if (isTooLong) return;
    parts.push(chunk);
    length += chunk.length;
  }
  // An event's data stands in one line in both protocols; more lines of data do not occur in them.
  function takeLines(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      add(chunk.subarray(start, end));
      const line = flush();
      if (line.startsWith("data:")) onData(line.slice("data:".length));
      start = end + 1;
    }
    add(chunk.subarray(start));
  }
  return {
    take: isStream ? takeLines : add,
    end: (): void => {
      if (!isStream) onData(flush());
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // "[DONE]", or cut short
  }
}

function withoutNulls(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

function countOf(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value.slice(0, limits.findingChars) : null;
}

function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
