// What every implementation of the port RunFiles does.
import { expect, test } from "vitest";
import type { RunFiles } from "../../src/ports.ts";

export interface RunFilesSubject {
  readonly files: RunFiles;
  /** The text of a file, null when there is none. */
  read(name: string): Promise<string | null>;
}

export function runFilesConformance(make: () => Promise<RunFilesSubject>): void {
  test("write makes a file with its folders, and replaces it", async () => {
    const { files, read } = await make();
    expect(await files.write("receipts/deep/task-1.json", "ä\n")).toEqual({ ok: true, value: undefined });
    expect(await read("receipts/deep/task-1.json")).toBe("ä\n");
    await files.write("receipts/deep/task-1.json", "");
    expect(await read("receipts/deep/task-1.json")).toBe("");
  });

  test("a text may come in parts, long ones and none among them", async () => {
    const { files, read } = await make();
    const parts = ["{ä\n", "", "\u{1f600}".repeat(50_000), "x".repeat(70_000), "\n}\n"];
    await files.write("prd.json", parts);
    expect(await read("prd.json")).toBe(parts.join(""));
    await files.write("prd.json", []);
    expect(await read("prd.json")).toBe("");
  });

  test("several files are written in one go, in folders of their own as well", async () => {
    const { files, read } = await make();
    await files.write("prd.json", "old");
    await files.writeAll([
      { name: "status.json", text: "s" },
      { name: "prd.json", text: ["p", "rd"] },
      { name: "receipts/a.json", text: "a" },
    ]);
    expect(await read("status.json")).toBe("s");
    expect(await read("prd.json")).toBe("prd");
    expect(await read("receipts/a.json")).toBe("a");
    expect(await files.writeAll([])).toEqual({ ok: true, value: undefined });
  });

  test("writes that are not awaited leave the last text", async () => {
    const { files, read } = await make();
    await Promise.all(Array.from({ length: 20 }, (_, index) => files.write("status.json", `${index}`)));
    expect(await read("status.json")).toBe("19");
  });

  test("extendTo makes a file that is not there hold the parts, also none", async () => {
    const { files, read } = await make();
    expect(await files.extendTo("progress.md", ["one\n", "two\n"])).toEqual({
      ok: true,
      value: { movedTo: null },
    });
    expect(await read("progress.md")).toBe("one\ntwo\n");
    await files.extendTo("empty.md", []);
    expect(await read("empty.md")).toBe("");
  });

  test("extendTo takes parts that can be read only once", async () => {
    const { files, read } = await make();
    await files.write("progress.md", "other");
    await files.extendTo("progress.md", ["a", "b"].values());
    expect(await read("progress.md")).toBe("ab");
  });

  test("append adds to the end, and makes a file that is not there", async () => {
    const { files, read } = await make();
    await files.append("logs/progress.md", "one ä\n");
    await files.append("logs/progress.md", "two\n");
    expect(await read("logs/progress.md")).toBe("one ä\ntwo\n");
  });

  const whole = ["# Log ä\n", "one\n", "two\n"];
  const text = whole.join("");
  test("extendTo completes any beginning of the parts, cut between any two characters", async () => {
    const { files, read } = await make();
    for (let length = 0; length <= text.length; length += 1) {
      await files.write("progress.md", text.slice(0, length));
      expect(await files.extendTo("progress.md", whole)).toEqual({ ok: true, value: { movedTo: null } });
      expect(await read("progress.md")).toBe(text);
    }
  });

  test.each([
    ["changed", "# Log ä\nONE\n"],
    ["longer than the parts", `${text}three\n`],
  ])("extendTo moves a file that was %s to salvage and tells the new name", async (_, present) => {
    const { files, read } = await make();
    await files.write("progress.md", present);
    const result = await files.extendTo("progress.md", whole);
    const movedTo = result.ok ? result.value.movedTo : null;
    expect(movedTo).toMatch(/^salvage\/progress-.+\.md$/);
    expect(await read(movedTo ?? "")).toBe(present);
    expect(await read("progress.md")).toBe(text);
  });

  test("what was moved to salvage is never overwritten", async () => {
    const { files, read } = await make();
    const names = new Set<string | null>();
    for (let number = 0; number < 5; number += 1) {
      await files.write("progress.md", `other ${number}`);
      const result = await files.extendTo("progress.md", whole);
      names.add(result.ok ? result.value.movedTo : null);
    }
    expect(names.size).toBe(5);
    expect(names).not.toContain(null);
    const kept = await Promise.all([...names].map((name) => read(name ?? "")));
    expect(kept.toSorted()).toEqual(["other 0", "other 1", "other 2", "other 3", "other 4"]);
  });
}
