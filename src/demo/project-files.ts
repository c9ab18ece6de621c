// The demo's repository as it is before the run: a small project, its plan, and the configuration with its cast.

import type { JsonObject } from "../core/json.ts";
import { configFileName } from "../schema/config.ts";
import { demoPrd } from "./plan.ts";
import agentsReadme from "./project/agents-readme.md";
import executionsReadme from "./project/executions-readme.md";
import gitattributes from "./project/gitattributes.txt";
import gitignore from "./project/gitignore.txt";
import harbour from "./project/harbour.js.txt";
import harbourTest from "./project/harbour.test.js.txt";
import lint from "./project/lint.js.txt";
import memory from "./project/memory.md";
import packageJson from "./project/package.json.txt";
import plan from "./project/plan.md";
import prd from "./project/prd.md";
import readme from "./project/readme.md";
import { developerScript } from "./scripted-developer.ts";
import { leadScript } from "./scripted-lead.ts";
import { reviewerScript } from "./scripted-reviewer.ts";

/** Path below the repository, forward slashes, to text. */
export function toProjectFiles(slug: string): Readonly<Record<string, string>> {
  const planFolder = `dev/work/plans/${slug}`;
  return {
    ".gitattributes": gitattributes,
    ".gitignore": gitignore,
    "README.md": readme,
    "agents/README.md": agentsReadme,
    [scriptOf("developer")]: toJsonText(developerScript),
    [scriptOf("reviewer")]: toJsonText(reviewerScript),
    [scriptOf("lead")]: toJsonText(leadScript),
    "dev/executions/.gitkeep": "",
    "dev/executions/README.md": executionsReadme,
    [`${planFolder}/plan.md`]: plan,
    [`${planFolder}/prd.json`]: toJsonText(demoPrd),
    [`${planFolder}/prd.md`]: prd,
    [configFileName]: toJsonText(config),
    "memory/MEMORY.md": memory,
    "package.json": packageJson,
    "scripts/lint.js": lint,
    "src/harbour.js": harbour,
    "test/harbour.test.js": harbourTest,
  };
}

function scriptOf(actor: "developer" | "reviewer" | "lead"): string {
  return `agents/scripted-${actor}.json`;
}

const config: JsonObject = {
  agents: {
    developer: { backend: "scripted", script: scriptOf("developer"), timeoutMs: 60_000 },
    reviewer: { backend: "scripted", script: scriptOf("reviewer"), timeoutMs: 60_000 },
    orchestrator: { backend: "scripted", script: scriptOf("lead"), timeoutMs: 60_000 },
  },
  gates: [
    { name: "lint", command: "node scripts/lint.js", timeoutMs: 60_000 },
    { name: "tests", command: "node --test --test-reporter=spec", timeoutMs: 60_000 },
  ],
};

function toJsonText(value: JsonObject): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
