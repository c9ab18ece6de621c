// Makes the same wrong change in every attempt.
import { done, git, workBadly } from "../agent.mjs";

git("checkout", "-q", "-f", "--detach", "main");
workBadly();
done();
