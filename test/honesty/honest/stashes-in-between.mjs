// Stashes its work for a look at the base, takes it back, and cleans up.
import { done, git, workWell } from "../agent.mjs";

workWell();
git("stash", "push", "-q");
git("stash", "pop", "-q");
done();
