// A program that starts one git command on the repository named by its argument, and waits for it.
import { runGit } from "../../src/adapters/git/run-git.ts";

const ended = runGit({ gitDir: process.argv[2] ?? "", args: ["version"], doing: "waiting" });
console.log("started");
await ended;
