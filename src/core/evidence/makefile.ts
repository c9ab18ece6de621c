// Which targets of a Makefile the gates come to, and whether a candidate changed them.

import { group, splitLines } from "./lines.ts";

/** Whether what `make` does for these command lines is another thing. */
export function isMakeChanged(before: string, after: string, commands: readonly string[]): boolean {
  if (Math.max(before.length, after.length) > longestMakefile) return before !== after;
  const old = readRules(before);
  const now = readRules(after);
  if (old.outside !== now.outside) return true;
  // `.IGNORE`, `.DEFAULT` and the like change how every rule works.
  const special = [...old.rules.keys(), ...now.rules.keys()].filter((name) => name.startsWith("."));
  const wanted = new Set([...reachedTargets(old, commands), ...reachedTargets(now, commands), ...special]);
  return [...wanted].some((target) => old.rules.get(target) !== now.rules.get(target));
}

const longestMakefile = 100_000;

interface Rules {
  /** By target: prerequisites and recipe as they are written. */
  readonly rules: ReadonlyMap<string, string>;
  readonly first: string | undefined;
  /** Variables, includes, conditions: they can change every rule. */
  readonly outside: string;
}

const head = /^([A-Za-z0-9_%./@$(){} -]{1,300}?)[ \t]{0,10}::?(?!=)(.*)$/;

function readRules(text: string): Rules {
  const rules = new Map<string, string>();
  const outside: string[] = [];
  let targets: string[] = [];
  for (const line of splitLines(text)) {
    const found = /^\s/.test(line) ? null : head.exec(line);
    if (found !== null) targets = group(found, 1).split(/\s+/);
    const isRule = found !== null || (/^\s/.test(line) && targets.length > 0);
    if (line.trim() === "" || line.startsWith("#")) continue;
    if (!isRule) {
      outside.push(line.trim());
      targets = [];
    }
    const part = found === null ? line.trim() : `: ${group(found, 2).trim()}`;
    for (const target of targets) rules.set(target, `${rules.get(target) ?? ""}${part}\n`);
  }
  rules.delete(".PHONY");
  return {
    rules,
    first: [...rules.keys()].find((name) => !name.startsWith(".")),
    outside: outside.join("\n"),
  };
}

/** Those that the command lines name, and what they need; all where a command line names none. */
function reachedTargets({ rules, first }: Rules, commands: readonly string[]): ReadonlySet<string> {
  const words = commands.filter((command) => /\b(?:g?make|just)\b/.test(command)).flatMap(toWords);
  if (words.length === 0) return new Set([...rules.keys()].filter(isUsualTarget));
  const named = words.filter((word) => rules.has(word));
  const todo = named.length > 0 || first === undefined ? named : [first];
  const reached = new Set<string>();
  for (let target = todo.pop(); target !== undefined; target = todo.pop()) {
    if (reached.has(target)) continue;
    reached.add(target);
    todo.push(...toWords(String(rules.get(target))).filter((word) => rules.has(word)));
  }
  return reached;
}

function isUsualTarget(target: string): boolean {
  return /^(?:all|test|tests|check|lint|build|ci|verify|types|coverage)/.test(target);
}

function toWords(text: string): string[] {
  return text.split(/[\s;&|:()]+/);
}
