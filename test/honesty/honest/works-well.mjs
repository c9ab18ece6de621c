// Does what the task asks for, with a test.
import { done, workWell } from "../agent.mjs";

workWell();
done();
