// The parts of mixed files that say how checks run: sections of pyproject.toml and Cargo.toml, lines of build files.

import { group, splitLines, withoutSpace } from "./lines.ts";

/** Those parts in one form; two texts with equal parts run checks alike. */
export function gatePartOf(path: string, text: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const lines = splitLines(text);
  if (/\.toml$|\.cfg$|^Pipfile$/.test(name)) return sectionsOf(lines);
  if (name === ".gitattributes")
    return lines.filter((line) => /\bfilter=|-diff\b|\bbinary\b|\bdiff=/.test(line)).join("\n");
  if (name === "CMakeLists.txt") return lines.filter((line) => changesTests.test(line)).join("\n");
  if (name.startsWith("vite.config.")) return /\btest\s{0,5}:/.test(text) ? withoutSpace(text) : "";
  return lines.filter(isAboutChecks).map(withoutSpace).join("\n");
}

/** Not those that name a test: a new one is no change of the others. */
const changesTests =
  /\b(?:WILL_FAIL|DISABLED|SKIP_\w{1,40}|(?:PASS|FAIL)_REGULAR_EXPRESSION|enable_testing)\b/;

const sections =
  /^(?:tool[.:](?:pytest|coverage|ruff|mypy|black|flake8|pylint|isort|pyright|basedpyright|tox|nox|bandit|poe|taskipy|pdm\.scripts|hatch\.envs)|profile|lints|workspace\.lints|\[?test\b|flake8|mypy|coverage|pycodestyle|pylint|isort|scripts|testenv)/;

/** Whether cargo tests a target at all. */
const runsTarget = /^(?:autotests|test|doctest|harness)=(?:true|false)\b/;

function sectionsOf(lines: readonly string[]): string {
  const kept: string[] = [];
  let isKept = false;
  for (const line of lines) {
    const head = /^\s{0,20}\[{1,2}\s{0,5}["']?([^\]]{1,200})\]/.exec(line);
    if (head !== null) isKept = sections.test(group(head, 1));
    const content = withoutSpace(line);
    if ((isKept && content !== "" && !content.startsWith("#")) || runsTarget.test(content))
      kept.push(content);
  }
  return kept.join("\n");
}

/** Lines of build files, without those that name dependencies. */
function isAboutChecks(line: string): boolean {
  return (
    /test|skip|ignore|exclude|minimum|filter|enabled|checkstyle|spotbugs|jacoco|lint|detekt|pmd|coverage|verif|warn|enforcer/i.test(
      line,
    ) &&
    !/\bexclude\s{0,5}\(?\s{0,5}(?:group|module)\b|(?:\btest\w{0,30}|implementation|api|compile)\s{0,5}[( ]\s{0,3}["'(]|<\/?(?:artifactId|groupId|version|scope|dependency)\b|PackageReference/i.test(
      line,
    )
  );
}
