// A disk without room below the worktrees: what agents and gates come to then is nobody's fault.
import { expect, it } from "vitest";
import { countedAttempts } from "../../src/core/attempts.ts";
import { failed, success } from "../../src/core/result.ts";
import type { AgentOutcome } from "../../src/ports.ts";
import { approved, developed, honest, iterate, mostlyHonest, play } from "../simulation/play.ts";
import { toPolicy, toPrd, toTask, World } from "../simulation/world.ts";

const prd = toPrd([toTask("a")]);
const policy = toPolicy({ maxAttempts: 1 });
const noRoom = { reason: "storage-failed", doing: "writing in", path: "lanes", code: "ENOSPC" } as const;
const exited = { reason: "agent-exited", agent: "developer", exitCode: 1, signal: null, tail: "" } as const;

function fillable(): { readonly world: World; fill(): void; empty(): void } {
  const world = new World(honest);
  let isFull = false;
  world.room = () => (isFull ? failed(noRoom) : success(undefined));
  const to = (full: boolean) => () => {
    isFull = full;
  };
  return { world, fill: to(true), empty: to(false) };
}

async function expectPausedThenComplete(
  { world, empty }: ReturnType<typeof fillable>,
  attempts = 0,
): Promise<void> {
  const paused = await play(world, { prd, policy });
  expect(paused.phase).toMatchObject({ kind: "paused", failure: noRoom });
  expect([...paused.tasks].map(countedAttempts)).toEqual([attempts]);
  empty();
  world.beforeAppend = () => {};
  world.agent = honest;
  world.gate = () => "passed";
  const state = await play(world, { prd, policy });
  expect(state.phase.kind).toBe("completed");
  expect(state.memory?.commit).toBe(state.head);
}

it.each<readonly [string, "develop" | "review", AgentOutcome]>([
  ["developer fails", "develop", { kind: "failed", failure: exited }],
  ["developer says that it could do nothing", "develop", developed("the disk is full")],
  ["reviewer rejects", "review", iterate(10, "nothing works")],
  ["reviewer approves", "review", approved()],
])("a %s: the run pauses, no attempt is used up, and with room it goes on", async (_what, stage, outcome) => {
  const at = fillable();
  at.world.agent = mostlyHonest(({ request }) => {
    if (request.stage !== stage) return null;
    at.fill();
    return outcome;
  });
  await expectPausedThenComplete(at);
});

it.each(["baseline", "candidate", "memory"])("a gate is red on the %s: the same", async (which) => {
  const at = fillable();
  at.world.gate = ({ tree }) => {
    const isMemory = [...tree.keys()].some((path) => path.startsWith("memory/"));
    const now = isMemory ? "memory" : tree.has("a.txt") ? "candidate" : "baseline";
    if (now !== which) return "passed";
    at.fill();
    return "failed";
  };
  await expectPausedThenComplete(at, which === "memory" ? 1 : 0);
});

it("a memory commit that cannot be made is made after the pause, and not given up", async () => {
  const at = fillable();
  const ports = at.world.ports.bind(at.world);
  at.world.ports = () => {
    const all = ports();
    const makeMemoryCommit: typeof all.repository.makeMemoryCommit = async (wanted) => {
      const room = await all.repository.checkRoom();
      return room.ok ? all.repository.makeMemoryCommit(wanted) : room;
    };
    return { ...all, repository: { ...all.repository, makeMemoryCommit } };
  };
  at.world.beforeAppend = (_seq, { kind }) => {
    if (kind === "memory-started") at.fill();
  };
  await expectPausedThenComplete(at, 1);
});

it("a gate that passes on a full disk has passed", async () => {
  const { world, fill } = fillable();
  const gates: string[] = [];
  world.afterAppend = (_seq, event) => {
    if (event.kind === "gate-started") fill();
    if (event.kind === "gate-ended") gates.push(event.result.kind);
  };
  await play(world, { prd, policy });
  expect(gates).toEqual(["ran"]);
});
