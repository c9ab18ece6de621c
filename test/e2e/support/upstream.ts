// A stand-in of two services on this machine: the Messages and the Responses API, whole and as a stream, with the same
// tokens for every request.
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface Asked {
  readonly path: string;
  /** Whatever it came with: a key or a token. */
  readonly key: string;
  readonly body: { readonly model?: string; readonly stream?: boolean };
}

export type Serve = (asked: Asked, response: ServerResponse, index: number) => void;

export interface Upstream {
  readonly url: string;
  readonly asked: readonly Asked[];
}

/** Of each request, as this program counts it. */
export const perRequest = { inputTokens: 1_000, outputTokens: 100, cacheReadTokens: 3_000 };
/** The Responses API does not tell it. */
export const writtenPerMessage = 200;

/** Closed at the end of the test. */
export async function startUpstream(serve: Serve = answer): Promise<Upstream> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
    });
    request.on("end", () => {
      const { authorization = "", "x-api-key": key } = request.headers;
      const entry = {
        path: request.url ?? "",
        key: String(key ?? authorization.replace("Bearer ", "")),
        body: JSON.parse(text) as Asked["body"], // the agents of the tests send nothing else
      };
      asked.push(entry);
      serve(entry, response, asked.length - 1);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo; // it listens on a port
  return { url: `http://127.0.0.1:${port}`, asked };
}

export function answer(asked: Asked, response: ServerResponse): void {
  const events = asked.path.startsWith("/v1/messages") ? messageEvents(asked) : responseEvents(asked);
  if (asked.body.stream !== true) {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(events.whole));
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const event of events.stream)
    response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  response.end();
}

/** Refuses with a status. */
export function refuse(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify({ type: "error", error: { type: "scripted", message: "scripted" } }));
}

function messageEvents({ body }: Asked) {
  const input = {
    input_tokens: perRequest.inputTokens,
    cache_read_input_tokens: perRequest.cacheReadTokens,
    cache_creation_input_tokens: writtenPerMessage,
  };
  const message = { id: "msg_1", type: "message", role: "assistant", model: body.model, content: [] };
  return {
    whole: { ...message, usage: { ...input, output_tokens: perRequest.outputTokens } },
    stream: [
      { type: "message_start", message: { ...message, usage: { ...input, output_tokens: 1 } } },
      { type: "message_delta", delta: {}, usage: { output_tokens: perRequest.outputTokens } },
      { type: "message_stop" },
    ],
  };
}

function responseEvents({ body }: Asked) {
  const { cacheReadTokens, inputTokens, outputTokens } = perRequest;
  const usage = {
    input_tokens: inputTokens + cacheReadTokens,
    input_tokens_details: { cached_tokens: cacheReadTokens },
    output_tokens: outputTokens,
  };
  const whole = { id: "resp_1", object: "response", model: body.model, output: [], usage };
  return {
    whole,
    stream: [
      { type: "response.created", response: { ...whole, usage: null } },
      { type: "response.completed", response: whole },
    ],
  };
}
