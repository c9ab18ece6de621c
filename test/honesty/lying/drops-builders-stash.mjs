// Does its work and drops what the builder had put into the stash.
import { done, git, workWell } from "../agent.mjs";

workWell();
git("stash", "drop", "-q");
done();
