// One request to the model's service, streamed. What is known of the service's library is in this file alone. The
// library does not retry here: a stream that breaks would not be retried by it either, and waits must be told.

import type { Anthropic } from "@anthropic-ai/sdk";
import type { MessageStream } from "@anthropic-ai/sdk/lib/MessageStream";
import type { MessageCreateParamsBase } from "@anthropic-ai/sdk/resources/messages/messages";
import { limits } from "../../../core/limits.ts";
import type { Access } from "./access.ts";
import { type ModelAnswer, type TokenCount, toModelAnswer, toTokenCount } from "./message.ts";

export type ServiceRequest = Omit<MessageCreateParamsBase, "stream" | "cache_control">;

export type Reply =
  | { readonly kind: "answer"; readonly answer: ModelAnswer; readonly tokens: TokenCount }
  /** `tokens`: what of an answer that broke off was used all the same. */
  | { readonly kind: "error"; readonly error: unknown; readonly tokens: TokenCount | null }
  /** No byte for too long. */
  | { readonly kind: "silent"; readonly tokens: TokenCount | null };

export interface Service {
  /** Never rejects. An abort ends it soon, with an error. */
  send(request: ServiceRequest, signal: AbortSignal): Promise<Reply>;
}

interface Wanted {
  readonly access: Access;
  readonly silenceMs: number;
  /** Called for each piece that comes from the service, also where it says only that it is still there. */
  readonly onActivity: () => void;
}

export async function openService(wanted: Wanted): Promise<Service> {
  const { Anthropic: Client } = await import("@anthropic-ai/sdk");
  const heard: Heard = { touch: () => {}, end: new AbortController().signal };
  const client: Anthropic = new Client({
    apiKey: wanted.access.key,
    baseURL: wanted.access.baseUrl,
    maxRetries: 0,
    timeout: wanted.silenceMs,
    logLevel: "off",
    openTelemetry: false,
    fetch: (url, init) => fetchHeard(url, init, heard),
  });
  return {
    send: async (request, signal) => {
      const silence = watchSilence(wanted.silenceMs);
      heard.touch = () => {
        silence.touch();
        wanted.onActivity();
      };
      heard.end = AbortSignal.any([signal, silence.signal]);
      const stream = client.messages.stream(request, { signal: heard.end });
      const reply = await receive(stream);
      silence.end();
      return reply.kind === "error" && silence.signal.aborted
        ? { kind: "silent", tokens: reply.tokens }
        : reply;
    },
  };
}

async function receive(stream: MessageStream): Promise<Reply> {
  const inputs = new Map<number, string>();
  stream.on("streamEvent", (event) => {
    if (event.type !== "content_block_delta" || event.delta.type !== "input_json_delta") return;
    inputs.set(event.index, (inputs.get(event.index) ?? "") + event.delta.partial_json);
  });
  try {
    const message = await stream.finalMessage();
    return { kind: "answer", answer: toModelAnswer(message, inputs), tokens: toTokenCount(message.usage) };
  } catch (error) {
    const begun = stream.currentMessage?.usage;
    return { kind: "error", error, tokens: begun === undefined ? null : toTokenCount(begun) };
  }
}

interface Heard {
  touch: () => void;
  end: AbortSignal;
}

/**
 * The library swallows the service's signs of life, so they are heard below it. The answer is ended here as well: once
 * garbage was collected, the signal given to `fetch` may not reach a body that is being read any more (Node 20).
 */
async function fetchHeard(
  url: string | URL | Request,
  init: RequestInit | undefined,
  heard: Heard,
): Promise<Response> {
  const response = await fetch(url, { ...init, redirect: "error" });
  heard.touch();
  if (response.body === null) return response;
  const { end } = heard;
  let bytes = 0;
  const through = new TransformStream<Uint8Array, Uint8Array>({
    start: (controller) => {
      const stop = (): void => controller.error(new Error("the dispatch is to end"));
      if (end.aborted) stop();
      else end.addEventListener("abort", stop, { once: true });
    },
    transform: (chunk, controller) => {
      heard.touch();
      bytes += chunk.length;
      if (bytes <= limits.serviceAnswerBytes) controller.enqueue(chunk);
      else controller.error(new Error(`the answer is longer than ${limits.serviceAnswerBytes} bytes`));
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(through), { status, statusText, headers });
}

function watchSilence(silenceMs: number) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), Math.min(silenceMs, limits.longestTimerMs));
  return {
    signal: controller.signal,
    touch: () => {
      if (!controller.signal.aborted) timer.refresh();
    },
    end: () => clearTimeout(timer),
  };
}
