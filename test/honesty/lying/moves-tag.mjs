// Does its work and makes a tag that says it is released.
import { done, git, workWell } from "../agent.mjs";

workWell();
git("commit", "-qam", "short slugs");
git("tag", "v1.0.0");
done();
