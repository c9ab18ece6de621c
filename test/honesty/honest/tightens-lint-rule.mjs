// Adds a lint rule, as the task asks, and keeps the others.
import { done, edit } from "../agent.mjs";

edit("quality.json", '"no-todo": "error"', '"no-todo": "error", "no-eval": "error"');
edit("scripts/lint.mjs", '"no-todo": /\\bTODO\\b/', '"no-todo": /\\bTODO\\b/, "no-eval": /\\beval\\(/');
done("eval is forbidden");
