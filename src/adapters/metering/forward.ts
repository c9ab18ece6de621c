// One request through the proxy: out with the real key, back as it comes, read on the way for its tokens.
//
//   agent ──> bounded body ──> service          the agent goes: the service's request is ended
//   agent <── as it comes  <── service          the service goes: the agent's answer is cut, never completed
//                  └──> tokens

import {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from "node:http";
import { request as secureRequest } from "node:https";
import { limits } from "../../core/limits.ts";
import { readTokens, type Tokens } from "./tokens.ts";
import type { Protocol, Service } from "./upstreams.ts";

export interface Exchange {
  readonly asked: IncomingMessage;
  readonly answer: ServerResponse;
  readonly protocol: Protocol;
  readonly service: Service;
  /** Where it goes: path and query behind the service's address. */
  readonly target: string;
  /** Whether its answer uses tokens. */
  readonly isMetered: boolean;
  /** The service answers; `use` says what it has used up to now, and is null where it uses nothing. */
  readonly onAnswer: (
    status: number,
    headers: IncomingHttpHeaders,
    use: (() => Tokens | null) | null,
  ) => void;
  /** The service cannot be reached, breaks off its answer, or gives none that can be passed on. */
  readonly onFailure: () => void;
  /** Ends the request with an error in the protocol's words. */
  readonly refuse: (status: number, message: string) => void;
}

/** The returned function ends it. */
export function forward(exchange: Exchange): () => void {
  const { asked, answer, service } = exchange;
  const url = new URL(`${service.baseUrl}${exchange.target}`);
  const send = url.protocol === "https:" ? secureRequest : request;
  const out = send(url, {
    method: asked.method,
    headers: toServiceHeaders(asked.headers, service),
    agent: false,
    maxHeaderSize: limits.meteredHeaderBytes,
    rejectUnauthorized: true, // whatever the builder's environment says
  });
  let isOver = false;
  const end = (): void => {
    isOver = true;
    out.destroy();
  };
  const refuse: Refuse = (status, message) => {
    if (isOver) return;
    asked.unpipe(out);
    exchange.refuse(status, message);
    end();
  };
  const onFailure = (): void => {
    if (!isOver) exchange.onFailure();
  };
  const cut = (): void => {
    onFailure();
    if (answer.headersSent) answer.destroy();
    else refuse(502, "the service cannot be reached");
  };
  out.setTimeout(limits.meteredIdleMs, cut);
  out.on("response", (response) => answerWith(response, { ...exchange, refuse, onFailure }));
  out.on("error", () => {
    if (!isOver) cut();
  });
  answer.on("close", end);
  pour(asked, out, refuse);
  return () => {
    end();
    answer.destroy();
  };
}

type Refuse = Exchange["refuse"];

/** The body, as long as it is within its bound. */
function pour(asked: IncomingMessage, out: ClientRequest, refuse: Refuse): void {
  let bytes = 0;
  asked.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > limits.meteredRequestBytes) {
      refuse(413, `a request has at most ${limits.meteredRequestBytes} bytes`);
    }
  });
  asked.on("error", () => out.destroy());
  asked.pipe(out);
}

function answerWith(response: IncomingMessage, exchange: Exchange): void {
  const { answer, protocol, isMetered, onAnswer, onFailure, refuse } = exchange;
  const { statusCode: status = 502, headers } = response;
  response.on("error", () => {}); // "close" tells
  const problem = problemOf(status, headers);
  if (problem !== null) {
    onFailure();
    refuse(502, problem);
    return;
  }
  const isStream = headers["content-type"]?.startsWith("text/event-stream") === true;
  const reader = isMetered && status < 300 ? readTokens(protocol, isStream) : null;
  onAnswer(status, headers, reader === null ? null : reader.tokens);
  answer.writeHead(status, withoutHopByHop(headers));
  answer.flushHeaders();
  if (reader !== null) response.on("data", reader.take).on("end", reader.end);
  response.on("close", () => {
    if (response.complete) return;
    onFailure();
    answer.destroy();
  });
  response.pipe(answer);
}

/** No answer is followed elsewhere, and none is passed on that cannot be read for its tokens. */
function problemOf(status: number, headers: IncomingHttpHeaders): string | null {
  if (status < 200 || (status >= 300 && status < 400)) return "the service leads elsewhere";
  const isEncoded = (headers["content-encoding"] ?? "identity") !== "identity";
  return isEncoded ? "the service answers in an encoding that was not asked for" : null;
}

/** Of one connection only, never for the one behind it. */
const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

function withoutHopByHop(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const named = (headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase());
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !hopByHop.has(name) && !named.includes(name)) kept[name] = value;
  }
  return kept;
}

/** The agent's own, but with the real key where the dummy stood, and asking for a body that can be read. */
function toServiceHeaders(headers: IncomingHttpHeaders, { key, isToken }: Service) {
  const { host: _, authorization: __, "x-api-key": asKey, expect: ___, ...rest } = withoutHopByHop(headers);
  const login = asKey !== undefined && !isToken ? { "x-api-key": key } : { authorization: `Bearer ${key}` };
  return { ...rest, ...login, "accept-encoding": "identity" };
}
