// A program "claude", which does what the agent of the tests does and says that it cost $99.
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { agentPath, type Project } from "./e2e-project.ts";

/** The folder to be first on PATH. */
export function fakeClaude(plan: Pick<Project, "folder">): string {
  const bin = join(plan.folder, "claude-bin");
  mkdirSync(bin);
  const tokens = { inputTokens: 5, outputTokens: 5, cacheReadInputTokens: 0, cacheCreationInputTokens: 0 };
  const result = {
    type: "result",
    subtype: "success",
    is_error: false,
    result: "Done.",
    total_cost_usd: 99,
    modelUsage: { "claude-opus-5-5": { ...tokens, costUSD: 99 } },
  };
  const init = { type: "system", subtype: "init", session_id: "s-1", model: "claude-opus-5-5" };
  const lines = [
    "#!/usr/bin/env node",
    `console.log(${JSON.stringify(JSON.stringify(init))});`,
    `import(${JSON.stringify(agentPath)}).then(() => console.log(${JSON.stringify(JSON.stringify(result))}));`,
  ];
  writeFileSync(join(bin, "claude"), lines.join("\n"));
  chmodSync(join(bin, "claude"), 0o755);
  return bin;
}
