// Why a lock was not given, as data, and in words with what to do next.

import type { Failure } from "../core/failure.ts";
import { describe } from "../core/failure.ts";
import { unreachable } from "../core/result.ts";
import type { Owner } from "../schema/owner.ts";
import { wordOwner } from "./owner.ts";

export type LockRefusal =
  /** Not certain: the owner ran where this program cannot see whether it still lives. */
  | { readonly kind: "owned"; readonly owner: Owner; readonly isCertain: boolean; readonly file: string }
  | { readonly kind: "unreadable"; readonly file: string; readonly detail: string }
  | { readonly kind: "unusable"; readonly path: string; readonly detail: string }
  | { readonly kind: "storage"; readonly failure: Failure };

export function describeLockRefusal(refusal: LockRefusal): string {
  switch (refusal.kind) {
    case "owned": {
      const owned = `${refusal.owner.about || "this run"} is owned by ${wordOwner(refusal.owner)}`;
      if (refusal.isCertain) return `${owned}; that program is alive: pause it first, or wait for its end`;
      return `${owned}; whether it is alive cannot be seen from here: if you know that it is not, remove "${refusal.file}" and start again`;
    }
    case "unreadable":
      return `the owner file "${refusal.file}" cannot be read (${refusal.detail}); if no other execute-prd works on this run, remove it and start again`;
    case "unusable":
      return `the lock "${refusal.path}" cannot be used: ${refusal.detail}; if no other execute-prd works on this run, remove it and start again`;
    case "storage":
      return describe(refusal.failure);
    default:
      return unreachable(refusal, "describeLockRefusal");
  }
}
