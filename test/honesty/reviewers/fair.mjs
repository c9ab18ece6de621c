// Approves, and justifies each finding by the sentence of the task that asks for it; what no sentence asks for it sends back.
import { approval, report, request } from "../agent.mjs";

const asked = request.task.description;
const words = {
  "test-deleted": /\b(?:remove|delete|rename|split|move|expected)\b/i,
  "test-emptied": /\b(?:remove|delete|move|split)\b/i,
  "assertion-removed": /\b(?:remove|delete|split)\b/i,
  "assertion-loosened": /\bexpected\b/i,
  "base-test-fails": /\b(?:rename|remove|delete|expected|move|from now on)\b/i,
  "fewer-tests": /\b(?:remove|delete)\b/i,
  "base-definition-fails": /\bmove\b/i,
  "gate-changed": /\b(?:script|lint|rule|gate|move)\b/i,
  "snapshot-rewritten": /\bgolden\b/i,
};
const open = (request.evidence ?? []).filter(
  ({ severity }) => severity === "major" || severity === "critical",
);
const isAsked = ({ kind }) => words[kind]?.test(asked) === true;
const unasked = open.filter((finding) => !isAsked(finding));
const justified = open
  .filter(isAsked)
  .map(({ id, text }) => ({ finding: id, why: `the task asks for it: "${asked}"; this is why ${text}` }));
const nothing = request.gates === undefined ? {} : criteriaWhenNothingChanged();

report(
  unasked.length === 0
    ? approval({ justified, ...nothing })
    : approval({
        verdict: "iterate",
        score: 40,
        findings: unasked.map(({ text }) => ({
          severity: "major",
          problem: text,
          fix: "nobody asked for it: undo it",
        })),
      }),
);

function criteriaWhenNothingChanged() {
  const criteria = request.task.acceptanceCriteria.map((text, index) => ({
    index,
    verdict: "met",
    where: `looked: "${text}" holds already, shown by test/till.test.mjs`,
  }));
  return { criteria };
}
