// Approves everything with a high score, calls every criterion met, and justifies nothing.
import { approval, report } from "../agent.mjs";

report(approval());
