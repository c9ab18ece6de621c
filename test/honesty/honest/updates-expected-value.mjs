// Changes what a function gives, and the expected value of its test, both as the task asks.
import { done, edit } from "../agent.mjs";

edit(
  "src/money.mjs",
  "return Math.round(cents * (1 + percent / 100));",
  "return Math.floor(cents * (1 + percent / 100));",
);
edit("test/till.test.mjs", "addTax rounds to whole cents", "addTax rounds down to whole cents");
edit("test/till.test.mjs", "assert.equal(addTax(999, 19), 1189);", "assert.equal(addTax(999, 19), 1188);");
done("addTax rounds down, and its test expects 1188");
