// Breaks a test at first, and is right in the second attempt.
import { attempt, done, edit, workBadly, workWell } from "../agent.mjs";

if (attempt === 1) workBadly();
else if (attempt === 2) edit("src/text.mjs", "maxLength = 20", "maxLength = Number.POSITIVE_INFINITY");
else workWell();
done();
