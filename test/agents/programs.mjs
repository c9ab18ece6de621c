// The agent programs: where they are, or how they come into a throw-away folder.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * @typedef {object} AgentProgram
 * @property {"claude-code" | "codex" | "gemini" | "opencode"} backend
 * @property {string} name of its executable
 * @property {string} package with the version that was tried
 * @property {string} model
 * @property {(url: string) => Readonly<Record<string, string>>} environment of a builder with a key
 */

/** @type {readonly AgentProgram[]} */
export const agentPrograms = [
  {
    backend: "claude-code",
    name: "claude",
    package: "@anthropic-ai/claude-code@2.1.329",
    model: "",
    environment: (url) => ({ ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: url }),
  },
  {
    backend: "codex",
    name: "codex",
    package: "@openai/codex@0.169.0",
    model: "",
    environment: (url) => ({ OPENAI_API_KEY: key, OPENAI_BASE_URL: `${url}/v1` }),
  },
  {
    backend: "gemini",
    name: "gemini",
    package: "@google/gemini-cli@0.61.0",
    model: "gemini-2.5-pro",
    environment: (url) => ({ GEMINI_API_KEY: key, GOOGLE_GEMINI_BASE_URL: url }),
  },
  {
    backend: "opencode",
    name: "opencode",
    package: "opencode-ai@1.18.33",
    model: "anthropic/claude-sonnet-4-5",
    environment: (url) => ({ ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: url }),
  },
];

const key = "no-key-of-anybody-0000";

/** @param {string} folder @param {AgentProgram} program */
export function pathOf(folder, { name }) {
  return join(folder, "node_modules", ".bin", name);
}

/** @param {string} folder @param {AgentProgram} program @param {NodeJS.ProcessEnv} env @returns {string | null} null: it is not there, or does not start */
export function versionOf(folder, program, env) {
  const path = pathOf(folder, program);
  if (!existsSync(path)) return null;
  const { status, stdout } = spawnSync(path, ["--version"], { env, encoding: "utf8", timeout: 60_000 });
  return status === 0 ? (/\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? stdout.trim()) : null;
}

/** @param {string} folder @param {readonly AgentProgram[]} programs */
export function install(folder, programs) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), "{}\n");
  const names = programs.map((program) => program.package);
  execFileSync("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--prefix", folder, ...names], {
    stdio: "inherit",
  });
}
