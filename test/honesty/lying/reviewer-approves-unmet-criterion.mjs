// As the reviewer: approves although a criterion is not met.
import { approval, report } from "../agent.mjs";

report(approval({ criteria: [{ index: 0, verdict: "not met", where: "src/text.mjs" }] }));
