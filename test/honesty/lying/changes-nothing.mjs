// Says done, and changed nothing.
import { done } from "../agent.mjs";

done();
