// What an ACP agent may do when it asks: decided by the role, the kind of the tool and the run's settings, and
// answered by the kind of an option. Ids and titles are the agent's words and decide nothing.

import type { Role } from "../../core/report.ts";
import { unreachable } from "../../core/result.ts";
import { isRecord } from "./acp-stream.ts";

const toolKinds = [
  "read",
  "edit",
  "delete",
  "move",
  "search",
  "execute",
  "think",
  "fetch",
  "switch_mode",
  "other",
] as const;

type ToolKind = (typeof toolKinds)[number];

/** A request for permission, read leniently: what a newer protocol adds must not stop an agent. */
export interface PermissionAsked {
  readonly toolCallId: string;
  readonly title: string;
  /** `other` for a kind that is not known. */
  readonly kind: ToolKind;
  /** Files the tool call names, as the agent wrote them. */
  readonly paths: readonly string[];
  readonly options: readonly { readonly optionId: string; readonly kind: string }[];
}

export interface PermissionRules {
  readonly role: Role;
  /** Kinds of tools that the configuration allows; null: all. */
  readonly tools: readonly string[] | null;
  readonly network: boolean;
  /** Whether a path lies in the agent's lane. */
  readonly isInside: (path: string) => boolean;
}

export type PermissionOutcome =
  | { readonly outcome: "selected"; readonly optionId: string }
  | { readonly outcome: "cancelled" };

export function readPermissionRequest(
  params: unknown,
  kindOf: (toolCallId: string) => unknown,
): PermissionAsked {
  const request = isRecord(params) ? params : {};
  const call = isRecord(request["toolCall"]) ? request["toolCall"] : {};
  const toolCallId = textOf(call["toolCallId"]);
  return {
    toolCallId,
    title: textOf(call["title"]),
    kind: toToolKind(call["kind"] ?? kindOf(toolCallId)),
    paths: [...listOf(call["locations"]), ...listOf(call["content"])].flatMap(({ path }) =>
      typeof path === "string" ? [path] : [],
    ),
    options: listOf(request["options"]).flatMap(({ optionId, kind }) =>
      typeof optionId === "string" && typeof kind === "string" ? [{ optionId, kind }] : [],
    ),
  };
}

/** Why it is denied, or null. */
export function denialOf(asked: PermissionAsked, rules: PermissionRules): string | null {
  if (rules.tools !== null && !rules.tools.includes(asked.kind)) return `tools does not name "${asked.kind}"`;
  switch (asked.kind) {
    case "read":
    case "search":
    case "think":
      return null;
    case "fetch":
      return rules.network ? null : "the run has no network";
    case "edit":
    case "delete":
    case "move":
      return denialOfWriting(asked, rules);
    case "execute":
    case "switch_mode":
    case "other":
      return rules.role === "developer" ? null : `a ${rules.role} only looks`;
    default:
      return unreachable(asked.kind, "kind of a tool");
  }
}

function denialOfWriting({ paths }: PermissionAsked, { role, isInside }: PermissionRules): string | null {
  if (role !== "developer") return `a ${role} only looks`;
  const outside = paths.find((path) => !isInside(path));
  return outside === undefined ? null : `"${outside}" is outside the working directory`;
}

/** Once, never always: what an agent keeps, it does not ask again. Without a fitting option the turn is cancelled. */
export function toOutcome({ options }: PermissionAsked, isAllowed: boolean): PermissionOutcome {
  const wanted = isAllowed ? ["allow_once"] : ["reject_once", "reject_always"];
  for (const kind of wanted) {
    const option = options.find((each) => each.kind === kind);
    if (option !== undefined) return { outcome: "selected", optionId: option.optionId };
  }
  return { outcome: "cancelled" };
}

function toToolKind(kind: unknown): ToolKind {
  return toolKinds.find((known) => known === kind) ?? "other";
}

function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
