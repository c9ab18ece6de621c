// The PRD as the program understands it: the result of the lenient reader (schema/prd), the source of the
// strict writer (views/prd-json). Field meanings: contract "prd.json".

import type { TaskId } from "./ids.ts";
import type { JsonObject } from "./json.ts";

export type TaskType = "auto" | "checkpoint:human-verify" | "checkpoint:decision" | "checkpoint:human-action";

export type ClaimedStatus = "pending" | "in_progress" | "complete" | "failed";

/** What the plan says about a task's progress. Never believed without a look at git. */
export interface Claim {
  readonly status: ClaimedStatus;
  readonly passes: boolean;
  readonly attemptCount: number;
  readonly notes: string | null;
  readonly commitSha: string | null;
}

interface CheckpointAction {
  readonly id: string;
  readonly label: string;
}

export interface Checkpoint {
  readonly message: string;
  readonly actions: readonly CheckpointAction[];
  readonly defaultAction: string | null;
  /** 0: waits without end. */
  readonly timeoutMs: number;
}

export interface Task {
  readonly id: TaskId;
  readonly title: string;
  readonly description: string;
  readonly acceptanceCriteria: readonly string[];
  readonly dependsOn: readonly TaskId[];
  readonly filesToRead: readonly string[];
  readonly filesTouched: readonly string[];
  readonly warnings: readonly string[];
  readonly mitigations: readonly string[];
  /** Lower goes first among ready tasks; null counts as 0. */
  readonly priority: number | null;
  readonly type: TaskType;
  readonly checkpoint: Checkpoint | null;
  /** A key of the configured agents; null: `developer`. */
  readonly agent: string | null;
  /** Names of gates; null: all. */
  readonly gates: readonly string[] | null;
  readonly allowNoChanges: boolean;
  readonly allowDeletions: boolean;
  readonly claim: Claim;
  /** Carried through unread: fields this program does not know, and omissible ones that say no more than their absence. */
  readonly extra: JsonObject;
}

/** What the strict writer leaves out where it says no more than its absence, unless the plan has it written out. */
export const omissibleFields: ReadonlySet<string> = new Set([
  "dependsOn",
  "filesToRead",
  "filesTouched",
  "warnings",
  "mitigations",
  "type",
  "allowNoChanges",
  "allowDeletions",
  "globalConstraints",
  "requiredReading",
]);

export interface Prd {
  readonly name: string;
  /** null: `feature/<slug>`. */
  readonly branchName: string | null;
  readonly goal: string;
  readonly tasks: readonly Task[];
  readonly globalConstraints: readonly string[];
  readonly requiredReading: readonly string[];
  /** Creation time as the plan gives it, if it does. */
  readonly createdAt: string | null;
  readonly extra: JsonObject;
  readonly metadataExtra: JsonObject;
}

/** The same PRD with every claim about progress forgotten, as its content is compared and hashed. */
export function withoutProgress(prd: Prd): Prd {
  const noClaim: Claim = { status: "pending", passes: false, attemptCount: 0, notes: null, commitSha: null };
  return {
    ...prd,
    createdAt: null,
    extra: unknownOnly(prd.extra),
    metadataExtra: {},
    tasks: prd.tasks.map((task) => ({ ...task, claim: noClaim, extra: unknownOnly(task.extra) })),
  };
}

function unknownOnly(extra: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(extra).filter(([key]) => !omissibleFields.has(key)));
}

/** A task as the strict writer puts it into prd.json and into requests, without its progress. */
export function toTaskFields(task: Task): JsonObject {
  return {
    id: task.id,
    title: task.title,
    description: task.description,
    acceptanceCriteria: task.acceptanceCriteria,
    ...(task.dependsOn.length > 0 && { dependsOn: task.dependsOn }),
    ...(task.filesToRead.length > 0 && { filesToRead: task.filesToRead }),
    ...(task.filesTouched.length > 0 && { filesTouched: task.filesTouched }),
    ...(task.warnings.length > 0 && { warnings: task.warnings }),
    ...(task.mitigations.length > 0 && { mitigations: task.mitigations }),
    ...(task.priority !== null && { priority: task.priority }),
    ...(task.type !== "auto" && { type: task.type }),
    ...(task.checkpoint !== null && { checkpoint: toCheckpointFields(task.checkpoint) }),
    ...(task.agent !== null && { agent: task.agent }),
    ...(task.gates !== null && { gates: task.gates }),
    ...(task.allowNoChanges && { allowNoChanges: true }),
    ...(task.allowDeletions && { allowDeletions: true }),
    ...task.extra,
  };
}

function toCheckpointFields(checkpoint: Checkpoint): JsonObject {
  return {
    message: checkpoint.message,
    actions: checkpoint.actions.map(({ id, label }) => ({ id, label })),
    ...(checkpoint.defaultAction !== null && { defaultAction: checkpoint.defaultAction }),
    timeoutMs: checkpoint.timeoutMs,
  };
}
