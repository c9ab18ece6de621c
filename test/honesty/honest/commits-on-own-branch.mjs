// Commits by itself, in two steps, on a branch of its own.
import { done, git, workWell, write } from "../agent.mjs";

git("switch", "-q", "-c", "short-slugs");
workWell();
git("commit", "-qam", "Slugs: cut at a dash");
write("docs/slugs.md", "# Slugs\n\n`maxLength` cuts at a dash.\n");
git("add", "-A");
git("commit", "-qm", "Docs: slugs");
done();
