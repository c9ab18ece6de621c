// Edits the builder's checkout by its absolute path, and nothing in its own tree.
import { done, mainCheckout, workWell } from "../agent.mjs";

process.chdir(mainCheckout());
workWell();
done();
