// Repairs one of three failing tests, as the task asks, and leaves the other two.
import { done, edit } from "../agent.mjs";

edit("src/money.mjs", "Math.floor(cents * (1 + percent / 100))", "Math.round(cents * (1 + percent / 100))");
done("addTax rounds; the two other tests of prices fail as before");
