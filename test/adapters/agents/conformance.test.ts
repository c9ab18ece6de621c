// Every backend keeps the contract of agents.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe } from "vitest";
import {
  agentBackendConformance,
  hangingSource,
  lookingSource,
  type Play,
} from "../../conformance/agent-backend.ts";
import { writeProgram } from "../process/programs.ts";

/** What a `command` or a `scripted` agent writes as its report; null: nothing. */
function reportOf(play: Play): object | null {
  switch (play.kind) {
    case "report":
      return { ...play.report, ...(play.usage && { usage: play.usage }) };
    case "look":
      return play.report;
    case "limit":
      return {
        failure: {
          kind: "rate-limited",
          message: "used up",
          resetAt: new Date(play.resetAtMs).toISOString(),
        },
      };
    case "login":
      return { failure: { kind: "not-logged-in", message: "log in first" } };
    default:
      return null;
  }
}

/** What its process does; empty: nothing. */
function sourceOf(play: Play): string {
  if (play.kind === "hang") return hangingSource(play.pidFile);
  return play.kind === "look" ? lookingSource(play.file) : "";
}

describe("command", () => {
  agentBackendConformance({
    backend: "command",
    make: async (place, play) => {
      const report = reportOf(play);
      const source = `import { createRequire } from "node:module";
        const require = createRequire(import.meta.url);
        const report = ${JSON.stringify(report)};
        if (report !== null) require("node:fs").writeFileSync(process.env.EXECUTE_PRD_REPORT, JSON.stringify(report));
        ${sourceOf(play)}`;
      return { agent: { command: await writeProgram(place.root, "agent", source) } };
    },
  });
});

describe("scripted", () => {
  agentBackendConformance({
    backend: "scripted",
    make: async (place, play) => {
      const script = join(place.root, "steps.json");
      const source = sourceOf(play);
      const actions = source === "" ? [] : [{ run: [process.execPath, "-e", source] }];
      await writeFile(script, JSON.stringify({ steps: [{ do: actions, report: reportOf(play) }] }));
      return { agent: { script } };
    },
  });
});

const acpAgent = fileURLToPath(new URL("../../support/acp-agent.mjs", import.meta.url));

describe("acp", () => {
  agentBackendConformance({
    backend: "acp",
    make: async (place, play) => {
      const script = join(place.root, "script.json");
      await writeFile(script, JSON.stringify({ turns: turnsOf(play) }));
      return { agent: { command: [process.execPath, acpAgent, script] } };
    },
  });
});

function turnsOf(play: Play): readonly (readonly object[])[] {
  switch (play.kind) {
    case "report":
      return [[{ say: JSON.stringify(play.report) }, { stop: "end_turn", usage: play.usage }]];
    case "look":
      return [[{ seen: play.file }, { say: JSON.stringify(play.report) }]];
    case "hang":
      return [[{ pid: play.pidFile }, { wait: 60_000 }]];
    case "limit": {
      const data = { status: 429, resetAt: new Date(play.resetAtMs).toISOString() };
      return [[{ error: { code: -32603, message: "used up", data } }]];
    }
    case "login":
      return [[{ error: { code: -32000, message: "Authentication required" } }]];
    default:
      return [[{ say: "I am done." }], [{ say: "I said so." }]];
  }
}
