// A stand-in of the Messages API on this machine: strict about requests, scripted in its replies, with a prompt cache.
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { type Block, type Body, type Json, violationsOf } from "./anthropic-rules.ts";
import { PromptCache } from "./prompt-cache.ts";

export type Reply =
  | Answer
  /** Refused before any stream. */
  | {
      readonly status: number;
      readonly type?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly error?: Json;
    };

interface Answer {
  /** A text stands for one block of text. */
  readonly content: string | readonly Block[];
  readonly stop?: string;
  readonly details?: Json;
  /** Input of the calls as it is streamed, where it is to be something else than their `input`. */
  readonly rawInput?: string;
  /** What the service says that it counted, instead of what the stand-in does. */
  readonly usage?: Json;
  /** Signs of life before the first block, and how far apart they come. */
  readonly pings?: { readonly count: number; readonly everyMs: number };
  /** What happens after so many events: the line breaks, the stream ends early, an error comes, or nothing more. */
  readonly after?: { readonly events: number; readonly what: "break" | "end" | "silence" | Json };
}

export interface Asked {
  readonly body: Body;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly usage: Json | null;
}

export interface AnthropicServer {
  readonly url: string;
  readonly asked: readonly Asked[];
  /** What a real service would have refused; a test that expects none says so. */
  readonly violations: readonly string[];
}

export type Script = readonly Reply[] | ((body: Body, index: number) => Reply | Promise<Reply>);

/** Closed at the end of the test. */
export async function startAnthropicServer(script: Script): Promise<AnthropicServer> {
  const asked: Asked[] = [];
  const violations: string[] = [];
  const cache = new PromptCache();
  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy());
  });
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let raw = "";
    for await (const chunk of request.setEncoding("utf8")) raw += chunk;
    const { headers } = request;
    if (!/^Bearer \S+$/.test(headers.authorization ?? "")) return refuse(response, { status: 401 });
    if (request.method !== "POST" || request.url !== "/v1/messages") return refuse(response, { status: 404 });
    const body = JSON.parse(raw) as Body; // judged by the rules next
    const wrong = violationsOf(body, headers);
    violations.push(...wrong);
    if (wrong.length > 0) return refuse(response, { status: 400, error: { message: wrong.join("; ") } });
    const index = asked.length;
    const entry = { body, headers, usage: null as Json | null };
    asked.push(entry);
    const reply =
      typeof script === "function" ? await script(body, index) : (script[index] ?? { status: 418 });
    if ("status" in reply) return refuse(response, reply);
    const content =
      typeof reply.content === "string" ? [{ type: "text", text: reply.content }] : reply.content;
    const counted = { ...cache.count(body), output_tokens: Math.ceil(JSON.stringify(content).length / 4) };
    entry.usage = { ...counted, ...reply.usage };
    await stream(response, { reply, content, usage: entry.usage, model: body.model, index });
  }
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo; // it listens on a port
  return { url: `http://127.0.0.1:${port}`, asked, violations };
}

const typesOfStatus: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  529: "overloaded_error",
};

function refuse(response: ServerResponse, reply: Exclude<Reply, Answer>): void {
  const type = reply.type ?? typesOfStatus[reply.status] ?? "api_error";
  response.writeHead(reply.status, { "content-type": "application/json", ...reply.headers });
  response.end(JSON.stringify({ type: "error", error: { type, message: "scripted", ...reply.error } }));
}

interface Streaming {
  readonly reply: Answer;
  readonly content: readonly Block[];
  readonly usage: Json;
  readonly model: string;
  readonly index: number;
}

async function stream(response: ServerResponse, streaming: Streaming): Promise<void> {
  const { after, pings } = streaming.reply;
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const [number, event] of toEvents(streaming).entries()) {
    if (number === after?.events) {
      if (after.what === "silence") return;
      if (after.what === "end") return void response.end();
      if (after.what === "break") return void response.destroy();
      const error = { type: "error", error: after.what };
      return void response.end(`event: error\ndata: ${JSON.stringify(error)}\n\n`);
    }
    const isWritten = response.write(`event: ${String(event["type"])}\ndata: ${JSON.stringify(event)}\n\n`);
    if (!isWritten) await once(response, "drain");
    // Each event on its way before the next one: a break comes after them, not instead of them.
    await new Promise((resolve) => setImmediate(resolve));
    if (event["type"] === "ping") await new Promise((resolve) => setTimeout(resolve, pings?.everyMs ?? 0));
  }
  response.end();
}

function toEvents({ reply, content, usage, model, index }: Streaming): Json[] {
  const stop = reply.stop ?? (content.some(({ type }) => type === "tool_use") ? "tool_use" : "end_turn");
  const message = { id: `msg_${index}`, type: "message", role: "assistant", model, content: [] };
  return [
    {
      type: "message_start",
      message: { ...message, stop_reason: null, usage: { ...usage, output_tokens: 1 } },
    },
    ...Array.from({ length: reply.pings?.count ?? 1 }, () => ({ type: "ping" })),
    ...content.flatMap((block, at) => toBlockEvents(block, { at, rawInput: reply.rawInput })),
    {
      type: "message_delta",
      delta: { stop_reason: stop, stop_sequence: null, stop_details: reply.details ?? null },
      usage: { output_tokens: usage["output_tokens"] },
    },
    { type: "message_stop" },
  ];
}

function toBlockEvents(block: Block, { at, rawInput }: { at: number; rawInput: string | undefined }): Json[] {
  const delta = (fields: Json): Json => ({ type: "content_block_delta", index: at, delta: fields });
  const start = (fields: Json): Json => ({ type: "content_block_start", index: at, content_block: fields });
  const stop = { type: "content_block_stop", index: at };
  switch (block.type) {
    case "tool_use": {
      const json = rawInput ?? JSON.stringify(block["input"] ?? {});
      const parts = json.match(/[\s\S]{1,64}/g) ?? [];
      const deltas = parts.map((part) => delta({ type: "input_json_delta", partial_json: part }));
      return [start({ ...block, input: {} }), ...deltas, stop];
    }
    case "thinking":
      return [
        start({ type: "thinking", thinking: "", signature: "" }),
        delta({ type: "thinking_delta", thinking: block["thinking"] }),
        delta({ type: "signature_delta", signature: block["signature"] }),
        stop,
      ];
    case "text":
      return [start({ type: "text", text: "" }), delta({ type: "text_delta", text: block["text"] }), stop];
    default:
      return [start(block), stop];
  }
}

let calls = 0;

/** A call of a tool, with an id of its own. */
export function call(name: string, input: unknown): Block {
  calls += 1;
  return { type: "tool_use", id: `toolu_${calls}`, name, input };
}

/** The results in the last message of a request, by the id of their call. */
export function resultsOf({ messages }: Body): { ok: boolean; text: string }[] {
  const results = (messages.at(-1)?.content ?? []).filter(({ type }) => type === "tool_result");
  return results.map((result) => ({ ok: result["is_error"] !== true, text: String(result["content"]) }));
}
