// Puts its work into the stash and says done.
import { done, git, workWell } from "../agent.mjs";

workWell();
git("stash", "push", "-q");
done();
