// The tokens of an answer, whole or in events, in whichever pieces it comes.

import { describe, expect, test } from "vitest";
import { readTokens } from "../../../src/adapters/metering/tokens.ts";
import type { Protocol } from "../../../src/adapters/metering/upstreams.ts";
import { limits } from "../../../src/core/limits.ts";

function read(protocol: Protocol, body: string, { isStream = true, piece = 7, isWhole = true } = {}) {
  const reader = readTokens(protocol, isStream);
  const bytes = Buffer.from(body);
  for (let at = 0; at < bytes.length; at += piece) reader.take(bytes.subarray(at, at + piece));
  if (isWhole) reader.end();
  return reader.tokens();
}

function events(...all: readonly object[]): string {
  return all.map((each) => `event: x\r\ndata: ${JSON.stringify(each)}\r\n\r\n`).join("");
}

const start = {
  type: "message_start",
  message: {
    model: "sonnet-5-5",
    usage: {
      input_tokens: 5,
      cache_read_input_tokens: 100,
      cache_creation_input_tokens: 20,
      output_tokens: 1,
    },
  },
};

const messages = {
  model: "sonnet-5-5",
  inputTokens: 5,
  cacheReadTokens: 100,
  cacheWriteTokens: 20,
  outputTokens: 40,
};

const response = {
  model: "some-model",
  usage: { input_tokens: 50, input_tokens_details: { cached_tokens: 30 }, output_tokens: 9 },
};

const responses = {
  model: "some-model",
  inputTokens: 20,
  cacheReadTokens: 30,
  cacheWriteTokens: 0,
  outputTokens: 9,
};

describe("Of the Messages API", () => {
  test.each([1, 7, 10_000])("a stream says input first and output last, in pieces of %d bytes", (piece) => {
    const body = events(
      start,
      { type: "content_block_delta", delta: { text: "ü\ndata: {}" } },
      { type: "message_delta", usage: { output_tokens: 12, input_tokens: null } },
      { type: "message_delta", usage: { output_tokens: 40 } },
      { type: "message_stop" },
    );
    expect(read("messages", body, { piece })).toEqual(messages);
  });

  test("a stream that is cut says what came", () => {
    const cut = events(start, { type: "message_delta", usage: { output_tokens: 12 } });
    expect(
      read("messages", `${cut}event: message_delta\ndata: {"type":"messa`, { isWhole: false }),
    ).toMatchObject({
      inputTokens: 5,
      outputTokens: 12,
    });
    expect(read("messages", "event: ping\n\n")).toBeNull();
  });

  test("a whole answer says all at its end, and nothing before", () => {
    const body = JSON.stringify({
      type: "message",
      ...start.message,
      usage: { ...start.message.usage, output_tokens: 40 },
    });
    expect(read("messages", body, { isStream: false })).toEqual(messages);
    expect(read("messages", body, { isStream: false, isWhole: false })).toBeNull();
    expect(read("messages", body.slice(0, -3), { isStream: false })).toBeNull();
  });
});

describe("Of the Responses API", () => {
  test.each(["response.completed", "response.incomplete", "response.failed"])("%s says all", (type) => {
    const body = `${events({ type: "response.created", response: { usage: null } }, { type, response })}data: [DONE]\n\n`;
    expect(read("responses", body)).toEqual(responses);
  });

  test("a whole answer says all", () => {
    expect(read("responses", JSON.stringify(response), { isStream: false })).toEqual(responses);
  });

  test("a stream that is cut says nothing", () => {
    expect(read("responses", events({ type: "response.created", response: { model: "m" } }))).toBeNull();
  });
});

describe("Rubbish", () => {
  test("for numbers counts as nothing, and never less", () => {
    const usage = { input_tokens: -5, output_tokens: "7", cache_read_input_tokens: 1e300 };
    const body = events({ type: "message_start", message: { usage } });
    expect(read("messages", body)).toMatchObject({
      model: null,
      inputTokens: 0,
      outputTokens: 0,
      cacheReadTokens: 0,
    });
  });

  test("of any length is left out, and what comes after it is read", () => {
    const piece = Buffer.alloc(1024 * 1024, "x");
    const reader = readTokens("messages", true);
    for (let bytes = 0; bytes <= limits.meteredEventBytes; bytes += piece.length) reader.take(piece);
    reader.take(Buffer.from(`\n${events(start)}`));
    expect(reader.tokens()).toMatchObject({ inputTokens: 5 });
    const whole = readTokens("messages", false);
    for (let bytes = 0; bytes <= limits.meteredEventBytes; bytes += piece.length) whole.take(piece);
    whole.end();
    expect(whole.tokens()).toBeNull();
  });
});
