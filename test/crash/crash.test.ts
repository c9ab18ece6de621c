// The built program, killed at points of a run that are drawn by a seed: at least forty of them, the rest by
// `npm run test:crash`.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { closeWorkshop, openWorkshop, type Workshop } from "./crash-project.mjs";
import { type Point, play, playReference, type Reference, samplePoints, wordPoint } from "./points.mjs";

const seed = Number(process.env["CRASH_SEED"] ?? Date.now() % 1_000_000);
const wanted: Readonly<Record<string, number>> = { append: 24, git: 7, child: 4, file: 5 };
const atATime = 2;

describe("killed at any point, then started again by the same command", () => {
  let workshop: Workshop;
  let reference: Reference;

  beforeAll(async () => {
    workshop = openWorkshop();
    reference = await playReference(workshop);
  });

  afterAll(() => closeWorkshop(workshop));

  it("ends as if nothing had happened, and a third start changes nothing", { timeout: 900_000 }, async () => {
    const points = Object.entries(wanted).flatMap(([kind, count]) =>
      samplePoints(
        reference.points.filter((point) => point.kind === kind),
        { count, seed },
      ),
    );
    console.log(`seed ${seed}, ${points.length} of ${reference.points.length} points`);
    const wrong: string[] = [];
    const playAll = async (mine: readonly Point[], name: string): Promise<void> => {
      for (const [index, point] of mine.entries()) {
        const found = await play(workshop, { points: [point], reference, name: `${name}-${index}` });
        if (found.length > 0) wrong.push(`killed ${wordPoint(point)}:\n  ${found.join("\n  ")}`);
      }
    };
    const shares = Array.from({ length: atATime }, (_, share) =>
      points.filter((_point, index) => index % atATime === share),
    );
    await Promise.all(shares.map((share, index) => playAll(share, `share-${index}`)));
    expect(points.length).toBeGreaterThanOrEqual(40);
    expect(wrong).toEqual([]);
  });

  it("is told apart from a run that lost or doubled something", async () => {
    // What the comparison is worth: it sees each of these.
    const { seen } = reference;
    const text = JSON.stringify(seen);
    for (const part of ["Make alpha", "follow-up-1-1", "memory-ended committed", "PRD-Stage: memory"]) {
      expect(text).toContain(part);
    }
    const story = seen["story"] as readonly string[]; // made by observe
    expect(story.filter((line) => line.startsWith("attempt-ended"))).toEqual([
      "attempt-ended alpha accepted",
      "attempt-ended beta rejected",
      "attempt-ended beta accepted",
      "attempt-ended gamma rejected",
      "attempt-ended gamma accepted",
      "attempt-ended delta accepted",
      "attempt-ended follow-up-1-1 accepted",
    ]);
    expect(seen["leftovers"]).toEqual({
      files: [],
      temporary: [],
      branchLocks: [],
      processes: [],
      archived: false,
    });
  });
});
