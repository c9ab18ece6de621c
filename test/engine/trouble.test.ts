import { describe, expect, it } from "vitest";
import { createEngine } from "../../src/engine/engine.ts";
import { honest, play } from "../simulation/play.ts";
import { Crash, runCreated, sessionStarted, toPolicy, toPrd, toTask, World } from "../simulation/world.ts";

describe("an effect that throws, which is a bug", () => {
  it("ends the program with that error as soon as the others have ended, and does not hang", async () => {
    const world = new World(honest);
    const bug = new Error("a bug in an adapter");
    let others = 0;
    world.agent = async ({ request, signal }) => {
      if (request.taskId === "a") throw bug;
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      others += 1;
      return { kind: "interrupted" };
    };
    const policy = toPolicy({ concurrency: 2, gates: [] });
    const opening = [runCreated(world, toPrd([toTask("a"), toTask("b")])), sessionStarted(policy)];
    const engine = createEngine({
      ports: world.ports(),
      state: null,
      opening,
      onEntry: () => {},
      onOutput: () => {},
    });
    await expect(engine.run()).rejects.toBe(bug);
    expect(others).toBe(1);
    expect(world.journal.at(-1)?.event.kind).toBe("dispatch-started");
  });
});

describe("a gate that was under way when the program died", () => {
  it("is no trouble when the configuration does not have it any more", async () => {
    const world = new World(honest);
    const prd = toPrd([toTask("a")]);
    const [tests] = toPolicy().gates;
    if (tests === undefined) throw new Error("the policy has a gate");
    world.afterAppend = (_seq, event) => {
      if (event.kind === "gate-started" && event.taskId !== null) throw new Crash();
    };
    await expect(play(world, { prd, policy: toPolicy() })).rejects.toThrow(Crash);
    world.afterAppend = () => {};
    const policy = toPolicy({ gates: [{ ...tests, name: "renamed" }] });
    const state = await play(world, { prd, policy });
    expect(state.phase.kind).toBe("completed");
    const gates = world.journal.flatMap(({ event }) => (event.kind === "gate-started" ? [event.gate] : []));
    expect(gates).toEqual(["tests", "tests", "renamed", "renamed"]);
  });
});
