// A profile in the language of sandbox-exec (macOS). Pure. The last rule that matches holds.

import type { Profile } from "./sandbox-bubblewrap.ts";

/** Everything may be read but what is hidden, nothing written but what is listed. */
export function toMacProfile(profile: Profile): string {
  const hidden = profile.hidden.map(({ path }) => path);
  return [
    "(version 1)",
    "(allow default)",
    "(deny file-write*)",
    ...rule("allow file-write*", [...scratch, ...profile.writable]),
    ...rule("deny file-write*", profile.kept),
    ...rule("deny file-read* file-write*", hidden),
    ...rule("allow file-read*", profile.revealed),
    ...(profile.network ? [] : offline),
    "",
  ].join("\n");
}

const scratch = ["/dev", "/private/tmp", "/private/var/tmp", "/private/var/folders"] as const;

// Servers of tests on this machine go on working.
const offline = ["(deny network*)", '(allow network* (local ip "localhost:*") (remote ip "localhost:*"))'];

function rule(what: string, paths: readonly string[]): readonly string[] {
  return paths.length === 0 ? [] : [`(${what} ${paths.map((path) => `(subpath ${quote(path)})`).join(" ")})`];
}

function quote(path: string): string {
  return `"${path.replace(/["\\]/g, "\\$&")}"`;
}
