// As the reviewer: never approves right work, each time with the same complaint.
import { approval, report } from "../agent.mjs";

const findings = [{ severity: "major", problem: "I do not like it", fix: "do it otherwise" }];
report(approval({ verdict: "iterate", score: 50, findings }));
