// Rewrites the configuration in the builder's checkout so that the next start has no gates.
import { join } from "node:path";
import { done, mainCheckout, read, workBadly, write } from "../agent.mjs";

workBadly();
const file = join(mainCheckout(), "execute-prd.config.json");
write(file, JSON.stringify({ ...JSON.parse(read(file)), gates: [], review: { enabled: false } }));
done();
