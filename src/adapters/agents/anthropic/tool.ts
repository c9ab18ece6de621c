// What a tool of the model is, and what it is given to work with.

import { z } from "zod";
import type { AgentRun } from "../agent-run.ts";
import { toOwnNames } from "./input-names.ts";

export interface ToolPlace {
  /** The lane's tree, links resolved: tools write nowhere else. */
  readonly root: string;
  /** A folder of files handed over, links resolved: for reading alone. null: there are none. */
  readonly handedOver: string | null;
  readonly run: AgentRun;
  /** The run's signal and the dispatch's time-outs. */
  readonly signal: AbortSignal;
}

/** What the model is told of a call. */
export interface ToolAnswer {
  readonly ok: boolean;
  readonly text: string;
}

export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: InputSchema;
  /** Whether it can change files or run programs: a reviewer and the lead do not get it. */
  readonly isChanging: boolean;
  run(place: ToolPlace, input: unknown): Promise<ToolAnswer>;
}

export interface InputSchema {
  readonly type: "object";
  readonly [key: string]: unknown;
}

/** A tool that decodes what the model wrote before it believes any of it. */
export function defineTool<Shape extends z.ZodType>(wanted: {
  name: string;
  description: string;
  isChanging?: boolean;
  input: Shape;
  run: (place: ToolPlace, input: z.output<Shape>) => Promise<ToolAnswer>;
}): Tool {
  const inputSchema = toInputSchema(z.toJSONSchema(wanted.input, { io: "input" }));
  const names = Object.keys(inputSchema["properties"] ?? {});
  return {
    name: wanted.name,
    description: wanted.description,
    isChanging: wanted.isChanging ?? false,
    inputSchema,
    run: async (place, input) => {
      const decoded = wanted.input.safeParse(toOwnNames(input, names));
      if (!decoded.success) return refused(toProblem(decoded.error));
      return wanted.run(place, decoded.data);
    },
  };
}

/** Without the dialect's address, which says nothing to a model. */
export function toInputSchema(schema: object): InputSchema {
  const { $schema: _, ...rest } = schema as Record<string, unknown>; // a JSON Schema is an object
  return { ...rest, type: "object" };
}

export function answered(text: string): ToolAnswer {
  return { ok: true, text };
}

export function refused(text: string): ToolAnswer {
  return { ok: false, text };
}

const problemsNamed = 5;

function toProblem(error: z.ZodError): string {
  const problems = error.issues
    .slice(0, problemsNamed)
    .map(({ path, message }) => `${path.map(String).join(".").slice(0, 100) || "input"}: ${message}`);
  return `the input does not fit the tool: ${problems.join("; ").slice(0, 1_000)}`;
}
