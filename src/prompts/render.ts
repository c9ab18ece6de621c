// Fills a template: `{{name}}` is replaced by its value, and the lines between `{{#name}}` and `{{/name}}` (each on a
// line of its own; they may be nested) are dropped when the value of `name` is empty.
//
// Strict: a name without a value, a value that no name asks for, and a section that does not close are mistakes in
// the program, not in its input. Values are put in as they are: what looks like a placeholder in one stays as it is.

import { assert } from "../core/result.ts";

const placeholder = /\{\{([A-Za-z]+)\}\}/g;
const sectionTag = /^\{\{([#/])([A-Za-z]+)\}\}$/;

export function renderTemplate(template: string, values: Readonly<Record<string, string>>): string {
  const used = new Set<string>();
  const lookUp = (name: string): string => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    assert(value !== undefined, `the template asks for "${name}", which has no value`);
    used.add(name);
    return value;
  };
  const kept = keepSections(template.split("\n"), lookUp);
  for (const name of Object.keys(values)) {
    assert(used.has(name), `the template never uses the value "${name}"`);
  }
  return kept.join("\n");
}

/** Lines of the sections that stay, filled in; those of the others are read all the same, so that a mistake shows. */
function keepSections(lines: readonly string[], lookUp: (name: string) => string): readonly string[] {
  const open: { readonly name: string; readonly isKept: boolean }[] = [];
  const kept: string[] = [];
  for (const line of lines) {
    const [, sign, name] = sectionTag.exec(line) ?? [];
    if (name === undefined) {
      const filled = fillLine(line, lookUp);
      if (open.every(({ isKept }) => isKept)) kept.push(filled);
    } else if (sign === "#") {
      open.push({ name, isKept: lookUp(name) !== "" });
    } else {
      assert(
        open.pop()?.name === name,
        `the template closes the section "${name}", which is not the open one`,
      );
    }
  }
  assert(open.length === 0, `the template does not close the section "${open.at(-1)?.name}"`);
  return kept;
}

function fillLine(line: string, lookUp: (name: string) => string): string {
  assert(!line.replace(placeholder, "").includes("{{"), `a malformed placeholder in the template: ${line}`);
  return line.replace(placeholder, (_match, name: string) => lookUp(name));
}
