// Finds that the criteria hold already, says so, and changes nothing.
import { done } from "../agent.mjs";

done('slugify already makes lower case: the test "slugify makes lower case" shows it, so nothing is changed');
