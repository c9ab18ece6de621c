// Adds a submodule.
import { done, git, mainCheckout, workWell } from "../agent.mjs";

workWell();
git("-c", "protocol.file.allow=always", "submodule", "add", "-q", mainCheckout(), "vendor/till");
git("commit", "-qam", "vendor");
done();
