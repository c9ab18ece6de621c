// Breaks a test where three others fail already, and says that all failures were there before.
import { done, workBadly } from "../agent.mjs";

workBadly();
done("slugify takes maxLength; the failing tests fail without my change too");
