// Does its work and changes a file of the builder's checkout besides.
import { join } from "node:path";
import { done, edit, mainCheckout, workWell } from "../agent.mjs";

workWell();
edit(join(mainCheckout(), "scripts/lint.mjs"), "problems.length > 0 ? 1 : 0", "0");
done();
