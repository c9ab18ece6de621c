// The environment of every child process: an allow-list, so that secrets of the builder's shell stay there.

export type Environment = Readonly<Record<string, string | undefined>>;

/** What every child gets of the builder's environment. */
const passedOn: readonly string[] = ["PATH", "LANG", "LC_ALL", "TMPDIR", "HOME"];

/** Without these hardly any program starts on Windows. */
const passedOnWindows: readonly string[] = [
  "SystemRoot",
  "SystemDrive",
  "ComSpec",
  "PATHEXT",
  "TEMP",
  "TMP",
  "USERPROFILE",
  "APPDATA",
  "LOCALAPPDATA",
  "ProgramFiles",
  "ProgramData",
];

/** By these an agent program recognises that it runs inside another one, and then behaves differently. */
const neverPassedOn = new Set([
  "CLAUDECODE",
  "CLAUDE_CODE_ENTRYPOINT",
  "CLAUDE_CODE_SESSION_ID",
  "CLAUDE_CODE_SSE_PORT",
  "CODEX_SANDBOX",
  "CODEX_SANDBOX_NETWORK_DISABLED",
  "CURSOR_AGENT",
  "CURSOR_TRACE_ID",
  "GEMINI_CLI",
  "OPENCODE",
]);

/** Variables with keys of the services behind agents. */
export const serviceKeys: readonly string[] = [
  "ANTHROPIC_API_KEY",
  "ANTHROPIC_AUTH_TOKEN",
  "ANTHROPIC_CUSTOM_HEADERS",
  "CLAUDE_CODE_OAUTH_TOKEN",
  "OPENAI_API_KEY",
  "CODEX_API_KEY",
  "GEMINI_API_KEY",
  "GOOGLE_API_KEY",
  "GOOGLE_GENERATIVE_AI_API_KEY",
  "OPENROUTER_API_KEY",
  "OPENCODE_API_KEY",
];

/** The allow-list of `from`, the variables in `names` besides, `CI=1`, and last what is `given`. */
export function toEnvironment(wanted: {
  from: Environment;
  names: readonly string[];
  given: Readonly<Record<string, string>>;
}): Record<string, string> {
  const environment: Record<string, string> = {};
  const allowed = process.platform === "win32" ? [...passedOn, ...passedOnWindows] : passedOn;
  for (const name of [...allowed, ...wanted.names.filter(mayBeNamed)]) {
    const value = wanted.from[name];
    if (value !== undefined) environment[name] = value;
  }
  return { ...environment, CI: "1", ...wanted.given };
}

// The protocol's own variables are given by the program alone: those around us belong to another run.
function mayBeNamed(name: string): boolean {
  return !neverPassedOn.has(name) && !name.startsWith("EXECUTE_PRD_");
}
