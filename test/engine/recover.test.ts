// What a start makes of a branch that has moved, or not, without the journal saying so.
import { describe, expect, it } from "vitest";
import type { Entry } from "../../src/core/event.ts";
import type { Sha } from "../../src/core/ids.ts";
import { failed } from "../../src/core/result.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { Inbox, type Message } from "../../src/engine/inbox.ts";
import type { Ports } from "../../src/ports.ts";
import { honest, play } from "../simulation/play.ts";
import { Crash, runCreated, sessionStarted, toPolicy, toPrd, toTask, World } from "../simulation/world.ts";

const prd = toPrd([toTask("a"), toTask("b")]);
const policy = toPolicy();
const ref = "refs/heads/feature/demo";
const gitFailed = failed({ reason: "git-failed", doing: "moving", exitCode: 128, detail: "no" } as const);

/** A world whose program has died before the event of task b (or of no task) was recorded. */
async function diedBefore(kind: string): Promise<World> {
  const world = new World(honest);
  world.beforeAppend = (_seq, event) => {
    const isOfB = !("taskId" in event) || event.taskId === "b";
    if (event.kind === kind && isOfB) throw new Crash();
  };
  await expect(play(world, { prd, policy })).rejects.toThrow(Crash);
  world.beforeAppend = () => {};
  return world;
}

function commitByHand(world: World): Sha {
  const head = world.git.refs.get(ref) ?? world.base;
  const tree = new Map([...world.git.treeOf(head), ["hand.txt", "by hand"]]);
  const commit = world.git.commit({ tree, parent: head, message: "by hand", atMs: 1 });
  world.git.refs.set(ref, commit);
  return commit;
}

function subjects(world: World): string[] {
  const found: string[] = [];
  for (let at = world.git.refs.get(ref) ?? null; at !== null && at !== world.base; ) {
    const commit = world.git.commits.get(at);
    found.unshift(commit?.message.split("\n")[0] ?? "");
    at = commit?.parent ?? null;
  }
  return found;
}

/** The world with git failing at some calls. */
function withGit(
  world: World,
  change: (repository: Ports["repository"]) => Partial<Ports["repository"]>,
): World {
  const ports = world.ports.bind(world);
  world.ports = () => {
    const all = ports();
    return { ...all, repository: { ...all.repository, ...change(all.repository) } };
  };
  return world;
}

const developedB = ({ event }: Entry): boolean =>
  event.kind === "dispatch-started" && event.stage === "develop" && event.taskId === "b";

const whole = ["Title of a", "Title of b", "Remember what demo taught"];

describe("an integration whose record is missing", () => {
  it("is recognised below the builder's commits, which alone are adopted", async () => {
    const world = await diedBefore("integration-ended");
    const hand = commitByHand(world);
    const state = await play(world, { prd, policy });
    expect(state.phase.kind).toBe("completed");
    expect(subjects(world)).toEqual(whole.toSpliced(2, 0, "by hand"));
    expect(world.journal.filter(developedB)).toHaveLength(1);
    const adopted = world.journal
      .map(({ event }) => event)
      .filter(({ kind }) => kind === "foreign-commits-adopted");
    expect(adopted).toMatchObject([{ to: hand, count: 1 }]);
  });

  it("and did not happen is made on top of the builder's commits, in the same start", async () => {
    const world = await diedBefore("integration-ended");
    const moved = world.git.refs.get(ref) ?? world.base;
    world.git.refs.set(ref, world.git.commits.get(moved)?.parent ?? world.base);
    commitByHand(world);
    const state = await play(world, { prd, policy });
    expect(state.phase.kind).toBe("completed");
    expect(subjects(world)).toEqual(["Title of a", "by hand", "Title of b", "Remember what demo taught"]);
    expect(world.journal.filter(developedB)).toHaveLength(1);
  });

  it.each([
    ["fails to repeat it", 1],
    ["fails to repeat it and to look", 2],
  ])("is no commit of somebody else when git %s", async (_what, failures) => {
    const world = await diedBefore("integration-ended");
    let left = failures;
    const fails = (): boolean => {
      left -= 1;
      return left >= 0;
    };
    withGit(world, (git) => ({
      integrate: async (at) => (fails() ? gitFailed : git.integrate(at)),
      compareBranch: async (at) => (fails() ? gitFailed : git.compareBranch(at)),
    }));
    let state = await play(world, { prd, policy });
    if (state.phase.kind !== "completed") state = await play(world, { prd, policy });
    expect(state.phase.kind).toBe("completed");
    expect(subjects(world)).toEqual(whole);
    expect(world.journal.filter(developedB)).toHaveLength(1);
    expect(world.journal.some(({ event }) => event.kind === "foreign-commits-adopted")).toBe(false);
  });
});

describe("a memory commit whose record is missing", () => {
  it("is recognised below the builder's commits, without the gates", async () => {
    const world = await diedBefore("memory-ended");
    commitByHand(world);
    world.gate = ({ tree }) => (tree.has("hand.txt") ? "passed" : "failed");
    const state = await play(world, { prd, policy });
    expect(state.phase.kind).toBe("completed");
    expect(subjects(world)).toEqual([...whole, "by hand"]);
  });
});

/** Says everything about an effect twice: at once, and again when the next effect has ended. */
class Echo extends Inbox {
  #last: Message | null = null;

  override post(message: Message): void {
    super.post(message);
    if (message.kind !== "effect-ended") return;
    super.post(message);
    if (this.#last !== null) super.post(this.#last);
    this.#last = message;
  }
}

describe("an outcome that arrives twice, or late", () => {
  it("changes nothing (I9)", async () => {
    const world = new World(honest);
    const engine = createEngine({
      ports: world.ports(),
      state: null,
      opening: [runCreated(world, prd), sessionStarted(policy)],
      onEntry: () => {},
      onOutput: () => {},
      inbox: new Echo(),
    });
    const end = await engine.run();
    expect(end).toMatchObject({ kind: "stopped", state: { phase: { kind: "completed" } } });
    expect(subjects(world)).toEqual(whole);
    const kinds = world.journal.map(({ event }) => event.kind);
    expect(kinds.filter((kind) => kind === "dispatch-ended")).toHaveLength(world.asked.length);
  });
});
