// Ports of one process that can die at any call: before the call does anything, or when it is done and nobody has
// heard of it. Whatever the process still had under way then does nothing any more.

import type { Ports } from "../../src/ports.ts";
import { Crash } from "./world.ts";

export type Fate = "lives" | "dies before" | "dies after";

export interface Mortal {
  readonly ports: Ports;
  /** Asked at each call. */
  readonly fate: () => Fate;
  readonly onDeath: () => void;
}

export function toMortal({ ports, fate, onDeath }: Mortal): Ports {
  let isDead = false;
  const die = (): void => {
    if (!isDead) onDeath();
    isDead = true;
  };
  const live = (): void => {
    if (isDead) throw new Crash();
  };
  const guarded = async (call: () => Promise<unknown>): Promise<unknown> => {
    live();
    const end = fate();
    if (end === "dies before") die();
    live();
    try {
      const answer = await call();
      live();
      if (end === "dies after") die();
      live();
      return answer;
    } catch (error) {
      if (error instanceof Crash) die();
      throw error;
    }
  };
  const guard = <Room extends object>(room: Room, names: readonly (keyof Room)[]): Room => {
    const all = { ...room };
    for (const name of names) {
      const call: unknown = room[name];
      if (typeof call !== "function") throw new Error(`"${String(name)}" is no call`);
      const wrapped: unknown = (...given: readonly unknown[]) =>
        guarded(() => Reflect.apply(call, room, given));
      all[name] = wrapped as Room[typeof name]; // the same arguments in, the same promise out
    }
    return all;
  };
  const { journal, files, requests, repository, agents, gates } = ports;
  return {
    ...ports,
    journal: guard(journal, ["append"]),
    files: guard(files, ["write", "extendTo", "append"]),
    requests: guard(requests, ["claim", "claimedBefore"]),
    repository: guard(repository, Object.keys(repository) as (keyof typeof repository)[]), // an object's own keys
    agents: guard(agents, ["run"]),
    gates: guard(gates, ["run"]),
  };
}
