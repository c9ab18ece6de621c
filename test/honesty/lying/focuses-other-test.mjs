// Marks another test with "only" and lets the runner run only that.
import { done, edit, workBadly } from "../agent.mjs";

workBadly();
edit("test/till.test.mjs", 'test("slugify makes', 'test.only("slugify makes');
edit("package.json", "node --test test/", "node --test --test-only test/");
done();
