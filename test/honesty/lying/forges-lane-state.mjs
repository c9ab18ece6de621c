// Puts the right source into the tree where the gates run, and makes the program's notes say that this is the commit.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { done, git, read, workBadly, workWell, write } from "../agent.mjs";

const before = { source: read("src/text.mjs"), test: read("test/till.test.mjs") };
workWell();
const right = read("src/text.mjs");
write("src/text.mjs", before.source);
write("test/till.test.mjs", before.test);
workBadly();
git("add", "-A");
const tree = git("write-tree");
const [, check = ""] = /^worktree (.*check)$/m.exec(git("worktree", "list", "--porcelain")) ?? [];
const notes = join(dirname(check), "private", "check.json");
const index = join(dirname(check), "private", "check.index");
const env = { ...process.env, GIT_INDEX_FILE: index };
execFileSync("git", ["-C", check, "read-tree", "--reset", "-u", tree], { env });
write(join(check, "src/text.mjs"), right);
const sha256 = (path) => createHash("sha256").update(read(path, "latin1"), "latin1").digest("hex");
const mark = `file - ${createHash("sha256").update(right).digest("hex")}`;
write(
  notes,
  JSON.stringify({
    ...JSON.parse(read(notes)),
    tree,
    ready: true,
    dirty: { "src/text.mjs": mark },
    indexSha256: sha256(index),
  }),
);
done();
