// Where role files are looked for, and that none of them leads out of the repository.

import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { roleFolder } from "../../src/application/init-files.ts";
import { findPolicy } from "../../src/application/policy.ts";
import { findRoles } from "../../src/application/roles.ts";
import { roleTextChars } from "../../src/prompts/prompt.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

function makePlaces() {
  const root = temporaryFolder();
  const place = { checkout: join(root, "checkout"), home: join(root, "home") };
  mkdirSync(place.checkout);
  mkdirSync(place.home);
  return place;
}

function put(folder: string, path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

async function textsOf(place: ReturnType<typeof makePlaces>, environment: Record<string, string> = {}) {
  const found = await findRoles(place.checkout, { HOME: place.home, ...environment });
  if (!found.ok) throw new Error(JSON.stringify(found.failure));
  return (found.value.reviewer ?? []).map(({ instructions }) => instructions);
}

describe("Role files", () => {
  test("are looked for in the project, for Claude Code there, and in the builder's own folder", async () => {
    const place = makePlaces();
    expect(await textsOf(place)).toEqual([]);
    put(place.home, ".config/execute-prd/roles/reviewer.md", "mine");
    put(place.checkout, ".claude/agents/reviewer.md", "---\nname: reviewer\n---\nof Claude Code");
    put(place.checkout, `${roleFolder}/reviewer.md`, "---\nmodel: x\n---\nof the project");
    expect(await textsOf(place)).toEqual(["of the project", "of Claude Code", "mine"]);
    put(place.home, "settings/execute-prd/roles/reviewer.md", "elsewhere");
    const elsewhere = { XDG_CONFIG_HOME: join(place.home, "settings") };
    expect((await textsOf(place, elsewhere)).at(-1)).toBe("elsewhere");
    expect((await textsOf(place, { XDG_CONFIG_HOME: "settings" })).at(-1)).toBe("mine");
  });

  test("may be links inside of the repository, and not out of it", async () => {
    const place = makePlaces();
    put(place.checkout, "docs/review.md", "inside");
    put(place.home, "review.md", "outside");
    mkdirSync(join(place.checkout, roleFolder), { recursive: true });
    symlinkSync("../../docs/review.md", join(place.checkout, roleFolder, "reviewer.md"));
    expect(await textsOf(place)).toEqual(["inside"]);
    symlinkSync(join(place.home, "review.md"), join(place.checkout, roleFolder, "developer.md"));
    expect(await findRoles(place.checkout, { HOME: place.home })).toMatchObject({
      failure: {
        problems: [{ file: `${roleFolder}/developer.md`, expected: "a file inside the repository" }],
      },
    });
  });

  test("that cannot be read are told with all that is wrong, those for Claude Code are passed over", async () => {
    const place = makePlaces();
    mkdirSync(join(place.checkout, roleFolder, "developer.md"), { recursive: true });
    put(place.checkout, `${roleFolder}/reviewer.md`, "---\nmodle: x\n---\n");
    mkdirSync(join(place.checkout, ".claude/agents/reviewer.md"), { recursive: true });
    const found = await findRoles(place.checkout, { HOME: place.home });
    expect(found).toMatchObject({ failure: { exitCode: 2, problems: [{}, { path: "line 2, modle" }] } });
  });

  test("are cut where they are longer than a prompt has room for", async () => {
    const place = makePlaces();
    put(place.checkout, `${roleFolder}/reviewer.md`, "word ".repeat(roleTextChars));
    const [text = ""] = await textsOf(place);
    expect(text.length).toBeLessThanOrEqual(roleTextChars);
    expect(text).toMatch(/\[Cut here: a role file is too long\.\]$/);
  });

  test("are part of the policy of a run, with what they lose told", async () => {
    const { checkout } = makePlaces();
    put(checkout, "execute-prd.config.json", '{ "gates": [] }');
    put(checkout, "agent.mjs", "");
    put(
      checkout,
      `${roleFolder}/developer.md`,
      "---\nbackend: command\ncommand: [node, agent.mjs]\n---\nUse tabs.",
    );
    const found = await findPolicy(checkout, {});
    expect(found).toMatchObject({
      ok: true,
      value: {
        policy: {
          agents: {
            developer: { command: ["node", join(checkout, "agent.mjs")], instructions: "Use tabs." },
          },
        },
        told: [],
      },
    });
    put(
      checkout,
      "execute-prd.config.json",
      '{ "gates": [], "agents": { "developer": { "backend": "codex" } } }',
    );
    expect(await findPolicy(checkout, {})).toMatchObject({
      value: { told: [expect.stringContaining(`${roleFolder}/developer.md are left out`)] },
    });
  });
});
