// Version 1 to 2: gates run more than once and name their tests, candidates carry what the program found in them.

type Fields = Readonly<Record<string, unknown>>;

/** What version 1 did not know was not looked at: empty, and no failing test is named. */
export function withEvidence(event: unknown): unknown {
  return isFields(event) ? withKind(event) : event;
}

function withKind(event: Fields): Fields {
  switch (event["kind"]) {
    case "gate-started":
      return { trial: "candidate", ...event };
    case "gate-ended":
      return { trial: "candidate", ...event, result: withTests(event["result"]) };
    case "candidate-made":
      return { ...event, result: withFindings(event["result"]) };
    case "gates-judged":
      return { gates: [], findings: [], ...event };
    default:
      return withNamedTests(event);
  }
}

function withTests(end: unknown): unknown {
  if (!isFields(end) || !isFields(end["result"])) return end;
  const { result } = end;
  if (!isFields(result["tests"])) return end;
  const unknown = { skipped: 0, failures: [], isNamed: false };
  return { ...end, result: { ...result, tests: { ...unknown, ...result["tests"] } } };
}

function withFindings(result: unknown): unknown {
  if (!isFields(result) || !isFields(result["candidate"])) return result;
  return { ...result, candidate: { findings: [], baseVersions: [], ...result["candidate"] } };
}

/** `gates-red` stands in the ends of attempts, in questions and in the reasons of stops, alone or inside another failure. */
function withNamedTests(event: Fields): Fields {
  const changed = ["outcome", "failure", "question"].flatMap((name) =>
    isFields(event[name]) ? [[name, inFailure(event[name])]] : [],
  );
  return { ...event, ...Object.fromEntries(changed) };
}

function inFailure(value: Fields): Fields {
  const inner = ["failure", "because"].flatMap((name) =>
    isFields(value[name]) ? [[name, inFailure(value[name])]] : [],
  );
  const whole = { ...value, ...Object.fromEntries(inner) };
  return whole["reason"] === "gates-red" ? { tests: [], ...whole } : whole;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
