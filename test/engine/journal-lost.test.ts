// A journal that cannot be written (EIO), at each append of a run: the program ends what is under way and stops, tries
// nothing more, and the next start goes on from what is on the disk.
import { describe, expect, it } from "vitest";
import { failed } from "../../src/core/result.ts";
import { createEngine, type EngineEnd } from "../../src/engine/engine.ts";
import { honest, play } from "../simulation/play.ts";
import { runCreated, sessionStarted, toPolicy, toPrd, toTask, World } from "../simulation/world.ts";

const prd = toPrd([toTask("a"), toTask("b")]);
const policy = toPolicy();
const eio = {
  reason: "storage-failed",
  doing: "appending to the journal",
  path: "log",
  code: "EIO",
} as const;

interface Loss {
  readonly end: EngineEnd;
  /** Appends that were tried after the one that failed. */
  readonly triedMore: number;
  /** Agents that were asked after it. */
  readonly startedAfter: number;
}

/** The nth append fails; `isWritten`: the line is on the disk all the same, as after a flush that failed. */
async function loseAt(world: World, at: { n: number; isWritten: boolean }): Promise<Loss> {
  let isLost = false;
  let triedMore = 0;
  let startedAfter = 0;
  const ports = world.ports();
  const { append } = ports.journal;
  const engine = createEngine({
    ports: {
      ...ports,
      journal: {
        append: async (event, atMs) => {
          if (isLost) triedMore += 1;
          if (isLost) return failed(eio);
          if (world.journal.length + 1 < at.n) return append(event, atMs);
          isLost = true;
          if (at.isWritten) await append(event, atMs);
          return failed(eio);
        },
      },
      agents: {
        run: (request, contact) => {
          if (isLost) startedAfter += 1;
          return ports.agents.run(request, contact);
        },
      },
    },
    state: null,
    opening: [runCreated(world, prd), sessionStarted(policy)],
    onEntry: () => {},
    onOutput: () => {},
  });
  return { end: await engine.run(), triedMore, startedAfter };
}

describe("a journal that fails with EIO", () => {
  it.each([
    ["and the line is not there", false],
    ["and the line is there", true],
  ])("at any append, %s: stops at once, and the next start finishes the run", async (_what, isWritten) => {
    const calm = new World(honest);
    const wanted = await play(calm, { prd, policy });
    for (let n = 1; n <= calm.journal.length; n += 1) {
      const world = new World(honest);
      const loss = await loseAt(world, { n, isWritten });
      expect(loss, `append ${n}`).toMatchObject({
        end: { kind: "journal-lost", failure: eio },
        triedMore: 0,
        startedAfter: 0,
      });
      expect(world.git.held, `append ${n}`).toBe(null);
      const state = await play(world, { prd, policy });
      expect(state.phase, `append ${n}`).toEqual(wanted.phase);
      const counted = [...state.tasks].map(({ task, phase }) => `${task.id} ${phase.kind}`);
      expect(counted, `append ${n}`).toEqual(["a complete", "b complete"]);
      expect(world.git.treeOf(state.head).get("b.txt"), `append ${n}`).toContain("b by attempt");
    }
  });

  it("while an agent works ends that agent", async () => {
    const world = new World(async (at) => {
      if (at.request.stage !== "develop" || at.request.taskId !== "b") return honest(at);
      await new Promise((resolve) => at.signal.addEventListener("abort", resolve));
      return { kind: "interrupted" };
    });
    let stop = (): void => {};
    const ports = world.ports();
    const engine = createEngine({
      ports: {
        ...ports,
        journal: {
          append: async (event, atMs) =>
            event.kind === "pause-requested" ? failed(eio) : ports.journal.append(event, atMs),
        },
      },
      state: null,
      opening: [runCreated(world, prd), sessionStarted(policy)],
      onEntry: ({ event }) => {
        if (event.kind === "dispatch-started" && event.taskId === "b") stop();
      },
      onOutput: () => {},
    });
    stop = () => engine.stop("a test");
    expect(await engine.run()).toMatchObject({ kind: "journal-lost", failure: eio });
  });
});
