// What the Messages API refuses, as far as an agent loop can get it wrong: the stand-in is stricter where in doubt.

export type Json = Readonly<Record<string, unknown>>;

export interface Body extends Json {
  readonly model: string;
  readonly max_tokens: number;
  readonly messages: readonly Message[];
  readonly system?: readonly Block[];
  readonly tools?: readonly Json[];
  readonly tool_choice?: Json;
}

interface Message {
  readonly role: "user" | "assistant";
  readonly content: readonly Block[];
}

export type Block = Json & { readonly type: string };

const bodyFields = [
  "model",
  "max_tokens",
  "messages",
  "system",
  "tools",
  "tool_choice",
  "stream",
  "output_config",
];
const blockFields: Readonly<Record<string, readonly string[]>> = {
  text: ["type", "text", "cache_control"],
  thinking: ["type", "thinking", "signature"],
  tool_use: ["type", "id", "name", "input"],
  tool_result: ["type", "tool_use_id", "content", "is_error", "cache_control"],
  server_tool_use: ["type", "id", "name", "input"],
};
const toolFields = ["name", "description", "input_schema"];
const mostBreakpoints = 4;

/** Everything that is wrong with a request; nothing where all is well. */
export function violationsOf(body: Json, headers: Readonly<Record<string, unknown>>): string[] {
  if (headers["anthropic-version"] !== "2026-10-21")
    return [`version ${String(headers["anthropic-version"])}`];
  // From here on what is missing shows as a violation of its own.
  const { messages = [], tools = [], system = [], tool_choice: choice } = body as unknown as Body;
  return [
    ...unknownFields("body", body, bodyFields),
    ...(typeof body["model"] === "string" && body["model"] !== "" ? [] : ["model: missing"]),
    ...(Number.isInteger(body["max_tokens"]) && Number(body["max_tokens"]) > 0
      ? []
      : ["max_tokens: missing"]),
    ...(body["stream"] === true ? [] : ["stream: this loop streams"]),
    ...tools.flatMap((tool) => [
      ...unknownFields("tool", tool, toolFields),
      ...((tool["input_schema"] as Json | undefined)?.["type"] === "object"
        ? []
        : ["tool: input_schema is no object"]),
    ]),
    ...(new Set(tools.map(({ name }) => name)).size === tools.length ? [] : ["tools: names are not unique"]),
    ...(choice?.["type"] === "tool" && !tools.some(({ name }) => name === choice["name"])
      ? ["tool_choice: no such tool"]
      : []),
    ...system.flatMap((block) => blockViolations("system", block)),
    ...messageViolations(messages),
    ...(breakpointsOf(body as unknown as Body) > mostBreakpoints ? ["more than 4 cache breakpoints"] : []),
    ...(hasToolBlocks(messages) && tools.length === 0
      ? ["tools: needed by the tool blocks in messages"]
      : []),
  ];
}

function messageViolations(messages: readonly Message[]): string[] {
  if (messages.length === 0) return ["messages: none"];
  return messages.flatMap(({ role, content }, index) => {
    const at = `messages.${index}`;
    const expected = index % 2 === 0 ? "user" : "assistant";
    if (role !== expected) return [`${at}: ${role} instead of ${expected}`];
    if (!Array.isArray(content) || content.length === 0) return [`${at}: empty`];
    const isThoughtLast = role === "assistant" && content.at(-1)?.type === "thinking";
    return [
      ...(isThoughtLast ? [`${at}: the final block cannot be thinking`] : []),
      ...content.flatMap((block) => blockViolations(at, block)),
      ...(role === "user" ? resultViolations(at, { content, before: messages[index - 1] }) : []),
    ];
  });
}

/** Each call is answered once, in the message after it, before anything else in it. */
function resultViolations(
  at: string,
  { content, before }: { content: readonly Block[]; before: Message | undefined },
): string[] {
  const asked = (before?.content ?? []).filter(({ type }) => type === "tool_use").map(({ id }) => id);
  const results = content.filter(({ type }) => type === "tool_result");
  const first = content.slice(0, results.length);
  const ids = results.map((result) => result["tool_use_id"]);
  return [
    ...asked.filter((id) => !ids.includes(id)).map((id) => `${at}: no tool_result for ${String(id)}`),
    ...ids
      .filter((id) => !asked.includes(id))
      .map((id) => `${at}: tool_result without tool_use: ${String(id)}`),
    ...(new Set(ids).size === ids.length ? [] : [`${at}: a tool_use is answered twice`]),
    ...(first.every(({ type }) => type === "tool_result") ? [] : [`${at}: tool_result after other content`]),
  ];
}

function blockViolations(at: string, block: Block): string[] {
  const known = blockFields[block.type];
  if (known === undefined) return [`${at}: unknown block ${block.type}`];
  const text = block.type === "tool_result" ? block["content"] : block["text"];
  const needsText = block.type === "text" || block.type === "tool_result";
  const isFilled = typeof text === "string" && text.trim() !== "";
  const isBroken = typeof text === "string" && /\p{Surrogate}/u.test(text);
  const input = block["input"];
  const isObject = typeof input === "object" && input !== null && !Array.isArray(input);
  return [
    ...unknownFields(`${at}.${block.type}`, block, known),
    ...(needsText && !isFilled ? [`${at}: text must be non-empty`] : []),
    ...(isBroken ? [`${at}: half a character`] : []),
    ...(block.type === "tool_use" && !isObject ? [`${at}: tool_use.input is no object`] : []),
    ...(block.type === "thinking" && typeof block["signature"] !== "string"
      ? [`${at}: thought without signature`]
      : []),
  ];
}

function unknownFields(at: string, value: Json, known: readonly string[]): string[] {
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => `${at}: ${key}: Extra inputs are not permitted`);
}

function breakpointsOf({ tools = [], system = [], messages = [] }: Body): number {
  const blocks = [...tools, ...system, ...messages.flatMap(({ content }) => content)];
  return blocks.filter((block) => block["cache_control"] !== undefined).length;
}

function hasToolBlocks(messages: readonly Message[]): boolean {
  return messages.some(({ content }) =>
    content.some(({ type }) => type === "tool_use" || type === "tool_result"),
  );
}
