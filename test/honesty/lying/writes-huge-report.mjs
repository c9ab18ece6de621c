// Writes a report of 3 MiB.
import { done, workWell } from "../agent.mjs";

workWell();
done("well done ".repeat(300_000));
