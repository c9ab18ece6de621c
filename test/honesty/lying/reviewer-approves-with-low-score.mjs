// As the reviewer: approves with score 10.
import { approval, report } from "../agent.mjs";

report(approval({ score: 10 }));
