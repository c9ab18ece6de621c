// `status`: one run, or all, once or again every second. Imports the one function it needs, not the whole library.

import { setTimeout as wait } from "node:timers/promises";
import { type RunStatus, statusOf, statusOfAll } from "../../application/status.ts";
import { toLine } from "../../views/text.ts";
import { type Output, printRefusal } from "./output.ts";

interface Place {
  readonly cwd?: string;
}

const watchMs = 1_000;

export async function showStatus(
  output: Output,
  at: Place & { slug: string | undefined; watch: boolean },
): Promise<number> {
  for (;;) {
    const code =
      at.slug === undefined ? await showAll(output, at) : await showOne(output, { ...at, slug: at.slug });
    if (!at.watch || code !== 0 || (await isStill(at))) return code;
    await wait(watchMs);
    if (output.isTerminal) output.draw("\u001b[2J\u001b[H");
  }
}

/** Nobody works on the run that is watched, so it will not change. */
async function isStill({ slug, ...at }: Place & { slug: string | undefined }): Promise<boolean> {
  if (slug === undefined) return false;
  const found = await statusOf({ ...at, slug });
  return !found.ok || found.value.owner !== "live";
}

async function showAll(output: Output, at: Place): Promise<number> {
  const all = await statusOfAll(at);
  if (!all.ok) return printRefusal(output, all.failure);
  if (output.isJson) output.data(all.value.map(toStatusData));
  else if (all.value.length === 0) output.line('no runs here yet; "execute-prd run <plan>" starts one');
  else for (const each of all.value) output.line(statusLine(each));
  return 0;
}

async function showOne(output: Output, at: Place & { slug: string }): Promise<number> {
  const found = await statusOf(at);
  if (!found.ok) return printRefusal(output, found.failure);
  if (output.isJson) {
    output.data(toStatusData(found.value));
    return 0;
  }
  output.line(statusLine(found.value));
  if (found.value.damage !== null) {
    output.line(`  ${toLine(found.value.damage, 1_000)}`);
    return 0;
  }
  const document = found.value.document ?? {};
  const reason = document["reason"];
  if (typeof reason === "string") output.line(`  ${toLine(reason, 1_000)}`);
  for (const line of waitingLines(document["waiting"])) output.line(`  ${line}`);
  for (const line of questionLines(document)) output.line(`  ${line}`);
  const next = document["next"];
  if (Array.isArray(next)) for (const command of next) output.line(`  ${toLine(String(command), 1_000)}`);
  return 0;
}

/** Each agent that is not asked for a while. */
function waitingLines(waiting: unknown): readonly string[] {
  if (!Array.isArray(waiting)) return [];
  return waiting.map((each: Record<string, unknown> | null) => {
    const [agent, until, reason] = ["agent", "until", "reason"].map((key) => String(each?.[key] ?? "?"));
    return toLine(`${agent} waits until ${until}: ${reason}`, 1_000);
  });
}

/** The open question of a run at work; where it is over, its reason and its commands say it. */
function questionLines({ status, question }: Record<string, unknown>): readonly string[] {
  if (status !== "running" || !isObject(question)) return [];
  const byItself = question["default"];
  const end = isObject(byItself)
    ? ` ("${toLine(String(byItself["answer"]))}" counts from ${toLine(String(byItself["at"]))} on)`
    : "";
  return [`${toLine(`question ${String(question["id"])}: ${String(question["text"])}`, 1_000)}${end}`];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function toStatusData({ slug, document, owner, damage, ...run }: RunStatus): object {
  const problem = damage ?? run.problem;
  if (document === null) return { planSlug: slug, status: null, owner, problem };
  return problem === null ? { ...document, owner } : { ...document, owner, problem };
}

function statusLine({ slug, document, owner, problem, damage }: RunStatus): string {
  if (document === null) return `${slug}: ${problem ?? "no status"}`;
  const word = document["status"];
  const isOrphan = word === "running" && owner !== "live";
  const said = isOrphan ? "running (owner gone, resumable)" : toLine(String(word ?? "unknown"));
  const shown = damage === null ? said : `damaged (${toLine(String(word ?? "unknown"))} by its status.json)`;
  const current =
    typeof document["currentTaskId"] === "string" ? `, at ${toLine(document["currentTaskId"])}` : "";
  return `${slug}: ${shown}, ${String(document["completedTasks"] ?? "?")} of ${String(document["totalTasks"] ?? "?")} tasks${current}`;
}
