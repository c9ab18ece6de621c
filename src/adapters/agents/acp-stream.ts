// The wire of an ACP agent: lines of JSON over its stdin and stdout, as the stream that the protocol library reads.
//
// What comes in is hostile, and the library prints what it cannot place: so only requests, and answers to what was
// asked, are passed on to it. A line that is no message is dropped, as programs print other things too; so is an answer
// that comes twice. Updates are taken out before it. A message without an end, or answers that the agent does not
// read, break the wire.

import type { Writable } from "node:stream";
import { ReadableStream, WritableStream } from "node:stream/web";
import type { AnyMessage, Stream } from "@agentclientprotocol/sdk";
import { limits } from "../../core/limits.ts";

export interface AcpWire {
  readonly stream: Stream;
  /** Bytes of the agent's stdout, as they come. */
  take(chunk: Buffer): void;
  /** Nothing more comes or goes; whoever waits for an answer is told. */
  close(): void;
  /** Why the wire was broken off, or null. */
  problem(): string | null;
}

/** `onUpdate` gets the parameters of each `session/update` as they came. */
export function openAcpWire(stdin: Writable, onUpdate: (params: unknown) => void): AcpWire {
  const asked = new Set<unknown>();
  let problem: string | null = null;
  let isOpen = true;
  let controller: ReadableStreamDefaultController<AnyMessage> | null = null;
  function close(): void {
    if (!isOpen) return;
    isOpen = false;
    controller?.close();
  }
  function breakOff(why: string): void {
    problem ??= why;
    close();
  }
  const lines = splitMessages({
    onLine: (line) => {
      const value = parse(line);
      if (!isOpen || !isRecord(value) || value["jsonrpc"] !== "2.0") return;
      if (value["method"] === "session/update") {
        onUpdate(value["params"]);
        return;
      }
      const message = toMessage(value, asked);
      if (message !== null) controller?.enqueue(message);
    },
    onTooLong: () => breakOff(`it sent a message of more than ${limits.acpMessageBytes} bytes`),
  });
  const readable = new ReadableStream<AnyMessage>({
    start: (given) => {
      controller = given;
    },
    cancel: () => {
      isOpen = false;
    },
  });
  const writable = new WritableStream<AnyMessage>({
    write: (message) => {
      if ("method" in message && "id" in message) asked.add(message.id);
      if (stdin.writable) stdin.write(`${JSON.stringify(message)}\n`);
      if (stdin.writableLength > limits.acpUnreadBytes) breakOff("it does not read what it is answered");
    },
  });
  return {
    stream: { readable, writable },
    take: (chunk) => {
      if (isOpen) lines.take(chunk);
    },
    close,
    problem: () => problem,
  };
}

/** A request, or the answer to one of ours; null: nobody waits for it. */
function toMessage(value: Fields, asked: Set<unknown>): AnyMessage | null {
  const { id, method } = value;
  const isAnswer = method === undefined && asked.delete(id);
  const isRequest = typeof method === "string" && (typeof id === "string" || typeof id === "number");
  if (!isAnswer && !isRequest) return null;
  return value as unknown as AnyMessage; // as far as it was checked; the library checks answers, handlers parameters
}

type Fields = Readonly<Record<string, unknown>>;

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // no JSON, or nested too deep
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function splitMessages(on: { onLine: (line: string) => void; onTooLong: () => void }) {
  let parts: Buffer[] = [];
  let length = 0;
  /** Whether there still is room for it. */
  function add(part: Buffer): boolean {
    parts.push(part);
    length += part.length;
    return length <= limits.acpMessageBytes;
  }
  return {
    take: (chunk: Buffer): void => {
      let start = 0;
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
        const hasRoom = add(chunk.subarray(start, end));
        const line = hasRoom ? Buffer.concat(parts, length).toString("utf8") : null;
        parts = [];
        length = 0;
        start = end + 1;
        if (line === null) on.onTooLong();
        else on.onLine(line);
      }
      if (!add(chunk.subarray(start))) on.onTooLong();
    },
  };
}
