// Changes a file that the builder protects.
import { appendFileSync } from "node:fs";
import { done, workWell } from "../agent.mjs";

workWell();
appendFileSync("docs/prices.md", "\nPrices may be anything.\n");
done();
