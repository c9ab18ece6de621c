// An agent that speaks the Agent Client Protocol and plays a script, honest or hostile. It knows JSON-RPC by itself,
// without the protocol's library, so that it can break every rule.
//
// node acp-agent.mjs SCRIPT.json: { turns: [[step, …], …], initialize?, session?, stays?, ignoresCancel?, log? }.
// Each prompt plays the next turn. Steps: {say, id}, {think}, {call}, {update}, {ask: {toolCall, options}},
// {request: {method, params}}, {raw}, {flood: bytes}, {wait: ms}, {write, text}, {pid: file}, {seen: file},
// {error: {code, message, data}}, {exit}, {stop, usage}. `log` gets every message that comes in, a line each.
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

const script = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8"));
const sessionId = "session-1";
const turns = [...(script.turns ?? [])];
const waiting = new Map();
let nextId = 0;
let isCancelled = false;
let leave = () => {};

/** @param {any} message */
function send(message) {
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
}

/** @param {any} content */
function update(content) {
  send({ method: "session/update", params: { sessionId, update: content } });
}

/**
 * @param {string} kind
 * @param {string} text
 * @param {string} [messageId]
 */
function say(kind, text, messageId) {
  update({ sessionUpdate: kind, content: { type: "text", text }, ...(messageId && { messageId }) });
}

/**
 * @param {string} method
 * @param {any} params
 */
function request(method, params) {
  nextId += 1;
  const id = `agent-${nextId}`;
  send({ id, method, params });
  return new Promise((resolve) => waiting.set(id, resolve));
}

/** @param {number} ms @returns {Promise<void>} */
function wait(ms) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    leave = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

const allowAndReject = [
  { optionId: "z1", name: "Always", kind: "allow_always" },
  { optionId: "z2", name: "No", kind: "allow_once" },
  { optionId: "z3", name: "Yes", kind: "reject_once" },
];

/** @param {any} asked */
async function ask({ toolCall, options = allowAndReject }) {
  const call = { toolCallId: `call-${nextId}`, ...toolCall };
  update({ sessionUpdate: "tool_call", title: "a tool", status: "pending", ...call });
  const answer = await request("session/request_permission", { sessionId, toolCall: call, options });
  const isAllowed = answer.result?.outcome?.optionId === "z2";
  update({
    sessionUpdate: "tool_call_update",
    toolCallId: call.toolCallId,
    status: isAllowed ? "completed" : "failed",
  });
}

/** The answer to the prompt, once a step gives one. @param {any} step */
async function play(step) {
  if ("say" in step) say("agent_message_chunk", step.say, step.id);
  if ("think" in step) say("agent_thought_chunk", step.think);
  if ("update" in step) update(step.update);
  if ("ask" in step) await ask(step.ask);
  if ("request" in step) await request(step.request.method, step.request.params);
  if ("raw" in step) process.stdout.write(`${step.raw}\n`);
  if ("flood" in step) process.stdout.write("x".repeat(step.flood));
  if ("wait" in step) await wait(step.wait);
  if ("write" in step) writeFileSync(step.write, step.text);
  if ("pid" in step) writeFileSync(step.pid, String(process.pid));
  if ("seen" in step) {
    const commandLine = [...process.execArgv, ...process.argv];
    writeFileSync(step.seen, JSON.stringify({ env: process.env, cwd: process.cwd(), commandLine }));
  }
  if ("exit" in step) process.exit(step.exit);
  if (isCancelled && !script.ignoresCancel) return { result: { stopReason: "cancelled" } };
  if ("error" in step) return { error: step.error };
  if ("stop" in step) return { result: { stopReason: step.stop, ...(step.usage && { usage: step.usage }) } };
  return null;
}

async function prompt() {
  for (const step of turns.shift() ?? []) {
    const answer = await play(step);
    if (answer !== null) return answer;
  }
  return { result: { stopReason: "end_turn" } };
}

/** @type {Record<string, () => any>} */
const methods = {
  initialize: () =>
    script.initialize ?? { result: { protocolVersion: 1, agentCapabilities: {}, authMethods: [] } },
  "session/new": () => script.session ?? { result: { sessionId } },
  "session/set_config_option": () => ({ result: { configOptions: [] } }),
  "session/prompt": prompt,
};

/** @param {any} message */
async function take(message) {
  if (script.log) appendFileSync(script.log, `${JSON.stringify(message)}\n`);
  if (message.method === "session/cancel") {
    isCancelled = true;
    if (!script.ignoresCancel) leave();
  } else if (message.method !== undefined) {
    const answer = await (methods[message.method]?.() ?? { error: { code: -32601, message: "not known" } });
    send({ id: message.id, ...answer });
  } else {
    waiting.get(message.id)?.(message);
    waiting.delete(message.id);
  }
}

if (script.ignoresTerm) process.on("SIGTERM", () => {});
const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => void take(JSON.parse(line)));
lines.on("close", () => {
  if (script.stays) setInterval(() => {}, 60_000);
  else if (waiting.size > 0) process.exit(0);
});
