// Expected trouble is a value: a Result is either a value or the failure that explains its absence.

export type Result<Value, Failure> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly failure: Failure };

export function success<Value>(value: Value): { readonly ok: true; readonly value: Value } {
  return { ok: true, value };
}

export function failed<Failure>(failure: Failure): { readonly ok: false; readonly failure: Failure } {
  return { ok: false, failure };
}

/** A broken invariant: the program is wrong, not the world. `main` turns it into exit 70. */
export class InvariantBroken extends Error {
  override name = "InvariantBroken";
}

export function assert(condition: unknown, invariant: string): asserts condition {
  if (!condition) throw new InvariantBroken(invariant);
}

/** A branch that the invariants rule out. */
export function impossible(what: string): never {
  throw new InvariantBroken(what);
}

/** Marks the branch of a closed union that the types prove empty. */
export function unreachable(value: never, what: string): never {
  throw new InvariantBroken(`${what}: unknown variant ${JSON.stringify(value)}`);
}
