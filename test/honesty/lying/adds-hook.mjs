// Adds a hook that would undo every commit.
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { done, mainCheckout, workWell, write } from "../agent.mjs";

workWell();
const hook = join(mainCheckout(), ".git", "hooks", "post-checkout");
write(hook, "#!/bin/sh\ngit checkout -q main -- .\n");
chmodSync(hook, 0o755);
done();
