// Sets a filter that changes files on their way into git.
import { done, git, workBadly, write } from "../agent.mjs";

workBadly();
git("config", "filter.short.clean", "sed s/20/9999/");
write(".gitattributes", "*.mjs filter=short\n");
done();
