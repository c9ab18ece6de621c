// Works where three tests of twenty fail before it begins, and leaves these as they are.
import { done, workWell } from "../agent.mjs";

workWell();
done("slugify takes maxLength; the three tests of prices fail as before");
