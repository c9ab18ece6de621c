// The base a run starts from and the branch it works on: which branch may be used, and the ways out when not.

import {
  branchHead,
  type Checkout,
  checkedOutAt,
  isAncestor,
  listBranches,
  resolveCommit,
} from "../adapters/git/inspect.ts";
import { describe } from "../core/failure.ts";
import type { Sha } from "../core/ids.ts";
import { failed, type Result, success } from "../core/result.ts";
import { branchNameProblem } from "../schema/branch-name.ts";
import type { InputProblem } from "../schema/problem.ts";
import { problem } from "./refusal.ts";

export interface Base {
  readonly sha: Sha;
  /** A branch's name, or the commit where there is none. */
  readonly name: string;
}

type Problems = readonly InputProblem[];

export async function findBase(
  checkout: Checkout,
  wanted: string | undefined,
): Promise<Result<Base, Problems>> {
  if (wanted === undefined) return success({ sha: checkout.head, name: checkout.branch ?? checkout.head });
  const found = await resolveCommit(checkout, wanted);
  if (found.ok && found.value !== null) {
    const isBranch = await branchHead(checkout, wanted);
    return success({ sha: found.value, name: isBranch.ok && isBranch.value !== null ? wanted : found.value });
  }
  const hint = found.ok ? 'see "git log --oneline --all"' : describe(found.failure);
  return failed([
    problem({ path: "--base", value: wanted, expected: "a commit or branch of this repository", hint }),
  ]);
}

export async function findBranch(
  checkout: Checkout,
  at: { wanted: string; base: Base; isFresh: boolean; slug: string },
): Promise<Result<string, Problems>> {
  const nameProblem = branchNameProblem(at.wanted);
  if (nameProblem !== null) {
    return failed([
      problem({ path: "branchName", value: at.wanted, expected: "a valid branch name", hint: nameProblem }),
    ]);
  }
  const branches = await listBranches(checkout);
  if (!branches.ok)
    return failed([problem({ expected: "a list of branches", hint: describe(branches.failure) })]);
  const name = at.isFresh ? freeName(at.wanted, branches.value) : at.wanted;
  const inTheWay = branches.value.find(
    (other) => other.startsWith(`${name}/`) || name.startsWith(`${other}/`),
  );
  if (inTheWay !== undefined) {
    const hint = `branch "${inTheWay}" is in the way; choose another with --branch`;
    return failed([
      problem({
        path: "branch",
        value: name,
        expected: "a branch name that can stand beside the others",
        hint,
      }),
    ]);
  }
  return checkBranch(checkout, { ...at, name });
}

/** `<branch>-2`, or the next number that no branch has. */
function freeName(wanted: string, branches: readonly string[]): string {
  if (!branches.includes(wanted)) return wanted;
  for (let number = 2; ; number += 1) {
    if (!branches.includes(`${wanted}-${number}`)) return `${wanted}-${number}`;
  }
}

async function checkBranch(
  checkout: Checkout,
  at: { name: string; base: Base; slug: string },
): Promise<Result<string, Problems>> {
  const { name, base } = at;
  const head = await branchHead(checkout, name);
  if (!head.ok)
    return failed([
      problem({ path: "branch", value: name, expected: "a readable branch", hint: describe(head.failure) }),
    ]);
  if (head.value === null) return success(name);
  const place = await checkedOutAt(checkout, name);
  if (place.ok && place.value !== null) {
    const hint = `run "git switch --detach" in "${place.value}", take another branch with --branch, or "execute-prd run ${at.slug} --fresh"`;
    return failed([
      problem({ path: "branch", value: name, expected: "a branch that is checked out nowhere", hint }),
    ]);
  }
  const isUsable = await isAncestor(checkout, { ancestor: head.value, of: base.sha });
  if (isUsable.ok && isUsable.value) return success(name);
  return failed([
    problem({
      path: "branch",
      value: name,
      expected: `a branch that is new, or in the base (${base.sha.slice(0, 7)})`,
      hint: `it has commits of its own; start from it with --base ${name} --branch <other>, take another branch with --branch, or "execute-prd run ${at.slug} --fresh"`,
    }),
  ]);
}
