// Commits its work to main instead.
import { done, git, workBadly } from "../agent.mjs";

workBadly();
git("commit", "-qam", "short slugs");
git("update-ref", "refs/heads/main", "HEAD");
done();
