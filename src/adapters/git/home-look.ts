// Settings in the builder's home that gates and shells obey. Without a sandbox agents and gates have this home as
// theirs; a change can be the builder's own, so it is only ever doubted and never put back.

import { createHash } from "node:crypto";
import fs from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { limits } from "../../core/limits.ts";

/** File to what it looks like. */
export type HomeLook = Readonly<Record<string, string>>;

export function lookAtHome(): HomeLook {
  const home = homedir();
  return Object.fromEntries(settings.map((name) => [name, markOf(join(home, name))]));
}

/** What is other than before, as parts of sentences. */
export function compareHomes(before: HomeLook, after: HomeLook): readonly string[] {
  return settings
    .filter((name) => before[name] !== undefined && before[name] !== after[name])
    .map((name) => `the settings "${name}" in the home folder were changed`);
}

const settings = [
  ".npmrc",
  ".yarnrc",
  ".yarnrc.yml",
  ".bunfig.toml",
  ".profile",
  ".bash_profile",
  ".bashrc",
  ".bash_login",
  ".zshenv",
  ".zprofile",
  ".zshrc",
  ".gitconfig",
  ".config/git/config",
  ".config/git/attributes",
  ".config/git/ignore",
  ".config/fish/config.fish",
  ".config/pip/pip.conf",
  ".config/pnpm/rc",
  ".pip/pip.conf",
  ".pydistutils.cfg",
  ".cargo/config",
  ".cargo/config.toml",
  ".gemrc",
  ".bundle/config",
  ".m2/settings.xml",
  ".gradle/gradle.properties",
  ".gradle/init.gradle",
  ".ssh/config",
  ".ssh/authorized_keys",
];

const absent = "unreadable";

function markOf(file: string): string {
  try {
    // Most are absent, and an exception for each of them takes longer than the look.
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    if (stat === undefined) return absent;
    if (!stat.isFile() || stat.size > limits.settingsBytes)
      return `${stat.mode} ${stat.size} ${stat.mtimeMs}`;
    return createHash("sha256").update(fs.readFileSync(file)).digest("hex");
  } catch {
    return absent; // or not for us to read: what matters is only whether that changes
  }
}
