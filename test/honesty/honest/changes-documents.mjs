// Changes documents only, as the task asks.
import { appendFileSync } from "node:fs";
import { done, edit } from "../agent.mjs";

edit("README.md", "The sums of a small shop", "The sums of a small tea shop");
appendFileSync("docs/prices.md", "\nA voucher takes 0 to 100 percent of the total.\n");
done("the documents speak of tea");
