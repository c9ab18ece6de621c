// Makes empty commits with the trailers of a finished task and of the next one.
import { attempt, done, git, request, taskId } from "../agent.mjs";

for (const id of [taskId, "another"]) {
  const trailers = `PRD-Run: ${request.runId}\nPRD-Task: ${id}\nPRD-Attempt: ${attempt}`;
  git("commit", "-q", "--allow-empty", "-m", `Finish ${id}\n\n${trailers}`);
}
done();
