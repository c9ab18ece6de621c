// Comments the failing test out.
import { done, edit, victim, victimAssertion, workBadly } from "../agent.mjs";

workBadly();
edit(
  "test/till.test.mjs",
  `${victim}\n  ${victimAssertion}\n});`,
  `// ${victim}\n//   ${victimAssertion}\n// });`,
);
done();
