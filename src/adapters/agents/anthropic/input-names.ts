// Other names under which models know the parameters of our tools, from the agents that they were trained with.

const ownNames: Readonly<Record<string, string>> = {
  cmd: "command",
  content: "text",
  contents: "text",
  file: "path",
  filename: "path",
  filepath: "path",
  filetext: "text",
  glob: "files",
  include: "files",
  limit: "lines",
  newstr: "new",
  newstring: "new",
  newtext: "new",
  offset: "from",
  oldstr: "old",
  oldstring: "old",
  oldtext: "old",
  replaceall: "all",
  timeout: "timeoutMs",
};

/** The input with a tool's own names for what was given under another one; a name of the tool is never replaced. */
export function toOwnNames(input: unknown, names: readonly string[]): unknown {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return input;
  const given = new Map<string, unknown>(Object.entries(input));
  for (const [name, value] of Object.entries(input)) {
    const own = ownNames[name.replaceAll(/[_-]/g, "").toLowerCase()];
    if (own === undefined || names.includes(name) || !names.includes(own) || given.has(own)) continue;
    given.delete(name);
    given.set(own, value);
  }
  return Object.fromEntries(given);
}
