// The services that the agent programs talk to, on loopback: enough of three protocols for one model to play its part.

import { createServer } from "node:http";
import { nextMove } from "./model.mjs";

/**
 * @typedef {object} Services
 * @property {string} url of all of them: each answers at paths of its own
 * @property {() => number} asked how often the model was asked
 * @property {() => Promise<void>} close
 */

/** @typedef {Record<string, any>} Json what programs send; a wrong guess about its shape fails the check */
/** @typedef {(type: string, data: object) => void} Send */

/**
 * @param {string} outside
 * @returns {Promise<Services>}
 */
export async function startServices(outside) {
  let asked = 0;
  const server = createServer(async (request, response) => {
    let raw = "";
    for await (const chunk of request) raw += chunk;
    const path = (request.url ?? "").split("?")[0] ?? "";
    const body = raw === "" ? {} : JSON.parse(raw);
    const answer = answerOf(path, body, outside);
    if (answer === null) {
      response.writeHead(path.endsWith("/models") ? 200 : 404, { "content-type": "application/json" });
      response.end(JSON.stringify({ object: "list", data: [], models: [] }));
      return;
    }
    asked += 1;
    response.writeHead(200, { "content-type": answer.type });
    response.end(answer.text);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    asked: () => asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * @param {string} path
 * @param {Json} body
 * @param {string} outside
 * @returns {{ type: string, text: string } | null}
 */
function answerOf(path, body, outside) {
  if (path.endsWith("/count_tokens")) return json({ input_tokens: 100 });
  if (path.endsWith("/messages")) return anthropicAnswer(body, outside);
  if (path.endsWith("/responses")) return openaiAnswer(body, outside);
  const [, operation] = /models\/[^:]+:(\w+)$/.exec(path) ?? [];
  if (operation === "countTokens") return json({ totalTokens: 100 });
  return operation === undefined ? null : geminiAnswer(body, { operation, outside });
}

/** @param {object} value */
function json(value) {
  return { type: "application/json", text: JSON.stringify(value) };
}

/** @param {(send: Send) => void} write */
function events(write) {
  let text = "";
  write((type, data) => {
    text += `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
  });
  return { type: "text/event-stream", text };
}

/** @param {Json} body @param {string} outside */
function anthropicAnswer(body, outside) {
  const messages = /** @type {Json[]} */ (body["messages"]);
  const blocks = messages.flatMap(({ content }) =>
    typeof content === "string" ? [{ type: "text", text: content }] : content,
  );
  const told = blocks.map(({ text = "" }) => text).join("\n");
  const used = blocks.filter(({ type }) => type === "tool_result").length;
  const tools = /** @type {Json[]} */ (body["tools"] ?? []).map(({ name }) => String(name));
  const content =
    tools.length === 0
      ? /** @type {const} */ ({ type: "text", text: "a title" })
      : anthropicBlock(nextMove(told, used, outside), tools);
  const isTool = content.type === "tool_use";
  const usage = {
    input_tokens: 1_000,
    output_tokens: 20,
    cache_read_input_tokens: 500,
    cache_creation_input_tokens: 0,
  };
  const stop_reason = isTool ? "tool_use" : "end_turn";
  const message = {
    id: `msg_${used}`,
    type: "message",
    role: "assistant",
    model: body["model"],
    stop_sequence: null,
    usage,
  };
  if (body["stream"] !== true) return json({ ...message, content: [content], stop_reason });
  const start = isTool ? { ...content, input: {} } : { type: "text", text: "" };
  const delta = isTool
    ? { type: "input_json_delta", partial_json: JSON.stringify(content.input) }
    : { type: "text_delta", text: content.text };
  return events((send) => {
    send("message_start", { message: { ...message, content: [], stop_reason: null } });
    send("content_block_start", { index: 0, content_block: start });
    send("content_block_delta", { index: 0, delta });
    send("content_block_stop", { index: 0 });
    send("message_delta", { delta: { stop_reason, stop_sequence: null }, usage });
    send("message_stop", {});
  });
}

let ids = 0;

/**
 * @param {import("./model.mjs").Move} move
 * @param {readonly string[]} tools
 * @returns {{ type: "text", text: string, input?: undefined } | { type: "tool_use", id: string, name: string, input: object, text?: undefined }}
 */
function anthropicBlock(move, tools) {
  ids += 1;
  const use = (/** @type {string} */ name, /** @type {object} */ input) =>
    /** @type {const} */ ({ type: "tool_use", id: `toolu_${ids}`, name, input });
  const named = (/** @type {string} */ name) => tools.find((tool) => tool.toLowerCase() === name) ?? name;
  if (move.kind === "write") {
    // One program refuses the name that the other one wants.
    const path = tools.includes("Write") ? { file_path: move.path } : { filePath: move.path };
    return use(named("write"), { ...path, content: move.text });
  }
  if (move.kind === "command") return use(named("bash"), { command: move.command, description: "look" });
  if (tools.includes("StructuredOutput")) return use("StructuredOutput", move.report);
  return { type: "text", text: JSON.stringify(move.report) };
}

/** @param {Json} body @param {string} outside */
function openaiAnswer(body, outside) {
  const input = /** @type {Json[]} */ (body["input"]);
  const told = input
    .flatMap(({ content }) => (Array.isArray(content) ? content : []))
    .map(({ text = "" }) => text)
    .join("\n");
  const used = input.filter(({ type }) => type === "custom_tool_call_output").length;
  ids += 1;
  const item = openaiItem(nextMove(told, used, outside));
  const usage = {
    input_tokens: 1_500,
    input_tokens_details: { cached_tokens: 500 },
    output_tokens: 20,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 1_520,
  };
  const response = {
    id: `resp_${ids}`,
    object: "response",
    created_at: 1,
    model: body["model"],
    status: "in_progress",
    output: [],
  };
  return events((send) => {
    send("response.created", { response });
    send("response.output_item.added", { output_index: 0, item });
    send("response.output_item.done", { output_index: 0, item });
    send("response.completed", { response: { ...response, status: "completed", output: [item], usage } });
  });
}

/** Its model runs JavaScript that calls the tools. @param {import("./model.mjs").Move} move */
function openaiItem(move) {
  if (move.kind === "report") {
    const text = JSON.stringify(move.report);
    return {
      id: `msg_${ids}`,
      type: "message",
      status: "completed",
      role: "assistant",
      content: [{ type: "output_text", text, annotations: [] }],
    };
  }
  const cmd =
    move.kind === "command" ? move.command : `printf '%s' ${JSON.stringify(move.text)} > '${move.path}'`;
  const source = `text(await tools.exec_command(${JSON.stringify({ cmd })}))`;
  return {
    id: `ctc_${ids}`,
    type: "custom_tool_call",
    status: "completed",
    call_id: `call_${ids}`,
    name: "exec",
    namespace: "functions",
    input: source,
  };
}

/** @param {Json} body @param {{ operation: string, outside: string }} at */
function geminiAnswer(body, { operation, outside }) {
  const parts = /** @type {Json[]} */ (body["contents"] ?? []).flatMap(
    ({ parts = [] }) => /** @type {Json[]} */ (parts),
  );
  const told = parts.map(({ text = "" }) => text).join("\n");
  const used = parts.filter(({ functionResponse }) => functionResponse !== undefined).length;
  const part = geminiPart(nextMove(told, used, outside));
  const answer = {
    candidates: [{ content: { role: "model", parts: [part] }, finishReason: "STOP", index: 0 }],
    usageMetadata: {
      promptTokenCount: 1_500,
      cachedContentTokenCount: 500,
      candidatesTokenCount: 20,
      totalTokenCount: 1_520,
    },
    modelVersion: "stand-in",
  };
  if (operation !== "streamGenerateContent") return json(answer);
  return { type: "text/event-stream", text: `data: ${JSON.stringify(answer)}\r\n\r\n` };
}

/** @param {import("./model.mjs").Move} move */
function geminiPart(move) {
  if (move.kind === "write")
    return { functionCall: { name: "write_file", args: { file_path: move.path, content: move.text } } };
  if (move.kind === "command")
    return { functionCall: { name: "run_shell_command", args: { command: move.command } } };
  return { text: JSON.stringify(move.report) };
}
