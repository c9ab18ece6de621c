// The lenient reader of prd.json: bytes to the PRD as the program understands it, or every problem at once.
// Nothing is repaired that could mean two things; nothing is believed about progress.

import type { TaskId } from "../core/ids.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import { limits } from "../core/limits.ts";
import type { Checkpoint, Claim, Prd, Task, TaskType } from "../core/prd.ts";
import { omissibleFields, toTaskFields } from "../core/prd.ts";
import { failed, type Result, success } from "../core/result.ts";
import { decodeJson, type JsonSource } from "./json-text.ts";
import { checkReferences, findTaskList, type TaskListKey } from "./prd-check.ts";
import { withHint } from "./prd-hint.ts";
import { type PrdInput, prdShape, statusWords, type TaskInput, taskShape, taskTypes } from "./prd-shape.ts";
import { didYouMean, type InputProblem, ProblemList, toExcerpt } from "./problem.ts";
import { valueAt } from "./value-at.ts";
import { checkShape } from "./zod-problems.ts";

export interface PrdRead {
  readonly prd: Prd;
  /** What the builder should know: values that were read as something else, fields that look misspelt. */
  readonly told: readonly string[];
}

const maxTold = 100;
const metadataKeys = new Set([
  "createdAt",
  "startedAt",
  "completedAt",
  "totalTasks",
  "completedTasks",
  "failedTasks",
]);

export function readPrd(source: JsonSource): Result<PrdRead, readonly InputProblem[]> {
  const json = decodeJson(source, limits.prdBytes);
  if (!json.ok) return failed([withHint(json.failure)]);
  const raw = json.value;
  const problems = new ProblemList(source.file);
  const hasShape = checkShape({ shape: prdShape, value: raw, problems });
  const refuse = () => failed(problems.all().map(withHint));
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) return refuse();
  const key = findTaskList(raw, problems);
  if (key !== null) checkReferences({ raw, key, problems });
  if (!hasShape || key === null || !problems.isEmpty) return refuse();
  return success(toPrd({ input: prdShape.parse(raw), raw, key }));
}

function toPrd({ input, raw, key }: { input: PrdInput; raw: object; key: TaskListKey }): PrdRead {
  const told = new Told();
  const tasks = (input[key] ?? []).map((task, index) => {
    const rawTask = valueAt(raw, [key, index]);
    tellUnknown({ told, raw: rawTask, known: taskKeys, where: `task "${task.id}"` });
    return toTask({ input: task, raw: rawTask, told });
  });
  tellUnknown({ told, raw, known: prdKeys, where: "the PRD" });
  const name = firstFilled([input.name, textAt(raw, "planSlug"), textAt(raw, "title")]);
  const { globalConstraints, requiredReading } = input;
  const prd: Prd = {
    name,
    branchName: input.branchName ?? null,
    goal: firstFilled([input.goal, textAt(raw, "description"), textAt(raw, "title"), name]),
    tasks,
    globalConstraints: globalConstraints ?? [],
    requiredReading: requiredReading ?? [],
    createdAt: input.metadata?.createdAt ?? null,
    extra: { ...toExtra(raw, prdKeys), ...writtenOut(raw, filled({ globalConstraints, requiredReading })) },
    metadataExtra: toExtra(valueAt(raw, ["metadata"]), metadataKeys),
  };
  return { prd, told: told.all() };
}

function toTask({ input, raw, told }: { input: TaskInput; raw: unknown; told: Told }): Task {
  const task: Task = {
    id: input.id as TaskId, // the shape has checked it with taskIdProblem
    title: input.title,
    description: firstFilled([input.description, input.title]),
    acceptanceCriteria: input.acceptanceCriteria,
    dependsOn: joined([input.dependsOn, input.dependencies, input.depends_on]) as TaskId[], // exist, so are ids
    filesToRead: joined([input.filesToRead, input.contextFiles]),
    filesTouched: joined([input.filesTouched, input.files, [input.file ?? []].flat()]),
    warnings: input.warnings ?? [],
    mitigations: input.mitigations ?? [],
    priority: input.priority ?? null,
    type: toType(input, told),
    checkpoint: toCheckpoint(input.checkpoint ?? null),
    agent: input.agent ?? null,
    gates: input.gates ?? null,
    allowNoChanges: input.allowNoChanges ?? false,
    allowDeletions: input.allowDeletions ?? false,
    claim: toClaim(input, told),
    extra: toExtra(raw, taskKeys),
  };
  return { ...task, extra: { ...task.extra, ...writtenOut(raw, toTaskFields(task)) } };
}

/** Fields of the plan that the strict writer would leave out, because they say no more than their absence. */
function writtenOut(raw: unknown, fields: JsonObject): JsonObject {
  const others = toExtra(raw, new Set(Object.keys(fields)));
  return Object.fromEntries(
    Object.entries(others).filter(([key, value]) => omissibleFields.has(key) && value !== null),
  );
}

function filled(lists: Readonly<Record<string, readonly string[] | null | undefined>>): JsonObject {
  return Object.fromEntries(
    Object.entries(lists).flatMap(([key, list]) => (list?.length ? [[key, list]] : [])),
  );
}

function toType({ id, type }: TaskInput, told: Told): TaskType {
  const known = taskTypes.find((word) => word === (type ?? "auto"));
  if (known !== undefined) return known;
  const hint = didYouMean(type ?? "", taskTypes);
  told.add(`task "${id}": type ${toExcerpt(type)} is unknown and read as "auto"${hint && `; ${hint}`}`);
  return "auto";
}

function toCheckpoint(input: TaskInput["checkpoint"]): Checkpoint | null {
  if (!input) return null;
  return {
    message: input.message ?? "",
    actions: (input.actions ?? []).map(({ id, label }) => ({ id, label: firstFilled([label, id]) })),
    defaultAction: firstFilled([input.defaultAction]) || null,
    timeoutMs: input.timeoutMs ?? 0,
  };
}

/** A commit is handed to git later: what is no object id never gets that far. */
function toClaim(input: TaskInput, told: Told): Claim {
  const sha = input.commitSha ?? "";
  const isSha = /^[0-9a-f]{4,64}$/i.test(sha);
  if (sha !== "" && !isSha)
    told.add(`task "${input.id}": commitSha ${toExcerpt(sha)} is no commit id and not used`);
  return {
    status: statusWords[input.status ?? "pending"],
    passes: input.passes ?? false,
    attemptCount: input.attemptCount ?? 0,
    notes: input.notes ?? null,
    commitSha: isSha ? sha : null,
  };
}

/** The lists one after another, each item once: a plan may use two spellings side by side. */
function joined(lists: readonly (readonly string[] | null | undefined)[]): string[] {
  return [...new Set(lists.flatMap((list) => list ?? []))];
}

function firstFilled(texts: readonly (string | null | undefined)[]): string {
  return texts.find((text) => text?.trim()) ?? "";
}

function textAt(raw: object, key: string): string | null {
  const value = valueAt(raw, [key]);
  return typeof value === "string" ? value : null;
}

/** Made property by property with `fromEntries`: a key "__proto__" stays plain data. */
function toExtra(raw: unknown, known: ReadonlySet<string>): JsonObject {
  if (typeof raw !== "object" || raw === null) return {};
  const entries: [string, JsonValue][] = Object.entries(raw); // parsed from JSON by decodeJson
  return Object.fromEntries(entries.filter(([key]) => !known.has(key)));
}

const taskKeys: ReadonlySet<string> = new Set(Object.keys(taskShape.shape));
const prdKeys: ReadonlySet<string> = new Set(Object.keys(prdShape.shape));

/** A misspelt field would silently not count, so what is nearly a known name is told. */
function tellUnknown(at: { told: Told; raw: unknown; known: ReadonlySet<string>; where: string }): void {
  for (const key of Object.keys(toExtra(at.raw, at.known))) {
    if (at.told.isFull) return;
    const hint = didYouMean(key, at.known);
    if (hint !== "") at.told.add(`${at.where}: the field ${toExcerpt(key)} is unknown and not used; ${hint}`);
  }
}

class Told {
  readonly #lines: string[] = [];
  #dropped = 0;

  get isFull(): boolean {
    return this.#lines.length >= maxTold;
  }

  add(line: string): void {
    if (this.isFull) this.#dropped += 1;
    else this.#lines.push(line);
  }

  all(): readonly string[] {
    return this.#dropped === 0 ? this.#lines : [...this.#lines, `and ${this.#dropped} more like these`];
  }
}
