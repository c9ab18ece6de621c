// `demo`: makes the throw-away repository and runs its plan, with agents that are said plainly to be scripted.

import { mkdirSync, mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { makeDemo } from "../../demo/make-demo.ts";
import { type Output, printRefusal } from "./output.ts";
import { runAndShow } from "./run-commands.ts";

export async function showDemo(output: Output, keep: string | null): Promise<number> {
  const folder = keep === null ? mkdtempSync(join(tmpdir(), "execute-prd-demo-")) : resolve(keep);
  mkdirSync(folder, { recursive: true });
  if (readdirSync(folder).length > 0) {
    const hint = "choose another folder";
    return printRefusal(output, {
      exitCode: 2,
      problems: [{ file: folder, path: "--keep", value: "", expected: "an empty folder", hint }],
    });
  }
  let place: Awaited<ReturnType<typeof makeDemo>>;
  try {
    place = await makeDemo(folder);
  } catch (error) {
    const hint = error instanceof Error ? error.message : String(error);
    const problem = {
      file: folder,
      path: "",
      value: "",
      expected: "a place where a repository can be made",
      hint,
    };
    return printRefusal(output, { exitCode: 2, problems: [problem] });
  }
  output.line(`A small project was made in ${place.checkout}.`);
  output.line("Its developer, reviewer and lead are scripted: they play a file of steps, no model is asked.");
  output.line("Worktrees, commits, gates, journal and report are real.");
  output.line();
  const exitCode = await runAndShow(output, { plan: place.slug, cwd: place.checkout });
  const self = `node ${relative(process.cwd(), process.argv[1] ?? "") || "dist/main.js"}`;
  const at = `${place.slug} --cwd ${place.checkout}`;
  output.line();
  output.line("Look around (an installed program is simply called execute-prd):");
  output.line(`  ${self} report ${at}`);
  output.line(`  ${self} log ${at}`);
  output.line(`  cat ${join(place.checkout, "dev", "executions", place.slug, "progress.md")}`);
  output.line(`Throw it away: rm -rf ${folder}`);
  return exitCode;
}
