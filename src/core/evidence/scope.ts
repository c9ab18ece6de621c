// Files that a task may change only when it says so, and files it did not say it would change.

import type { ChangedFile } from "./changed-file.ts";
import type { EvidenceContext } from "./context.ts";
import { counted, listed, type Observation, quoted } from "./finding.ts";
import { isNamed, isNamedPlainly } from "./path-match.ts";

type ScopeContext = Pick<EvidenceContext, "filesTouched" | "protectedPaths">;

export function findOutOfScope(changes: readonly ChangedFile[], context: ScopeContext): Observation[] {
  return [...changes.flatMap((file) => findProtected(file, context)), ...findOutside(changes, context)];
}

/** What agents read as instructions or settings, in any folder; names in any case, as some file systems have them. */
export function isAgentInstruction(path: string): boolean {
  return agentFiles.test(path);
}

const agentFiles =
  /(?:^|\/)(?:(?:agents|claude|gemini)(?:\.local)?\.md|opencode\.jsonc?|\.mcp\.json|\.cursorrules|\.windsurfrules|\.github\/copilot-instructions\.md|execute-prd\.config\.json|\.(?:claude|codex|gemini|opencode|cursor|execute-prd)(?:\/.*)?)$/is;

function findProtected(
  { path, change }: ChangedFile,
  { filesTouched, protectedPaths }: ScopeContext,
): Observation[] {
  if (isNamedPlainly(path, filesTouched)) return [];
  const at = { file: path, line: null };
  if (isAgentInstruction(path)) {
    const text = `${quoted(path)}, which instructs agents, is ${change}, and the task does not name it`;
    return [{ kind: "agent-instructions", ...at, text }];
  }
  const lower = protectedPaths.map((name) => name.toLowerCase());
  if (!isNamed(path.toLowerCase(), lower)) return [];
  return [{ kind: "protected-path", ...at, text: `the protected file ${quoted(path)} is ${change}` }];
}

function findOutside(changes: readonly ChangedFile[], { filesTouched }: ScopeContext): Observation[] {
  if (filesTouched.length === 0) return [];
  const outside = changes.map(({ path }) => path).filter((path) => !isNamed(path, filesTouched));
  const [first] = outside;
  if (first === undefined) return [];
  const text = `${counted(outside.length, "file")} changed that the task does not name: ${listed(outside)}`;
  return [{ kind: "outside-scope", file: first, line: null, text }];
}
