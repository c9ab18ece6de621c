// What every implementation of the port Journal does.
import { expect, test } from "vitest";
import type { Entry, RunEvent } from "../../src/core/event.ts";
import type { Journal } from "../../src/ports.ts";

export interface JournalSubject {
  readonly session: string;
  readonly journal: Journal;
  /** What a new start would find. */
  read(): Promise<readonly Entry[]>;
  /** Another program takes the run over. */
  loseOwnership(): Promise<void>;
  /** Another program writes to what the journal keeps its lines in. */
  writeFromElsewhere(): Promise<void>;
}

export function told(text: string): RunEvent {
  return { kind: "told", text };
}

export function journalConformance(make: () => Promise<JournalSubject>): void {
  test("entries are numbered from 1, carry time and session, and are found by the next start", async () => {
    const { session, journal, read } = await make();
    expect(await read()).toEqual([]);
    const events = [
      told("one"),
      told('two lines\n"quoted" ä \u2028 \u0000'),
      { kind: "run-completed" } as const,
    ];
    const entries: Entry[] = [];
    for (const [index, event] of events.entries()) {
      const appended = await journal.append(event, 1_800_000_000_000 - index);
      expect(appended).toEqual({
        ok: true,
        value: { seq: index + 1, atMs: 1_800_000_000_000 - index, session, event },
      });
      if (appended.ok) entries.push(appended.value);
    }
    expect(await read()).toEqual(entries);
  });

  test("appends that are not awaited are kept in order", async () => {
    const { journal, read } = await make();
    await Promise.all(Array.from({ length: 20 }, (_, index) => journal.append(told(`${index}`), index)));
    expect((await read()).map(({ seq, event }) => [seq, event])).toEqual(
      Array.from({ length: 20 }, (_, index) => [index + 1, told(`${index}`)]),
    );
  });

  test("a program that lost the run appends nothing more", async () => {
    const { journal, read, loseOwnership } = await make();
    await journal.append(told("one"), 1);
    await loseOwnership();
    const refused = {
      ok: false,
      failure: { reason: "journal-not-ours" },
    };
    expect(await journal.append(told("two"), 2)).toMatchObject(refused);
    expect(await journal.append(told("three"), 3)).toMatchObject(refused);
    expect(await read()).toHaveLength(1);
  });

  test("after another program has written, nothing more is appended", async () => {
    const { journal, writeFromElsewhere } = await make();
    await journal.append(told("one"), 1);
    await writeFromElsewhere();
    const refused = {
      ok: false,
      failure: { reason: "journal-not-ours" },
    };
    expect(await journal.append(told("two"), 2)).toMatchObject(refused);
    expect(await journal.append(told("three"), 3)).toMatchObject(refused);
  });
}
