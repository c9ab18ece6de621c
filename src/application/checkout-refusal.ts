// Why no run can be started in a place, as problems with a way out.

import type { CheckoutRefusal } from "../adapters/git/inspect.ts";
import { describe } from "../core/failure.ts";
import { unreachable } from "../core/result.ts";
import { problem, type Refusal, refuse } from "./refusal.ts";

export function checkoutRefusal(refusal: CheckoutRefusal): Refusal {
  return refuse([toProblem(refusal)]);
}

function toProblem(refusal: CheckoutRefusal): ReturnType<typeof problem> {
  switch (refusal.kind) {
    case "git-missing":
      return problem({ path: "git", expected: "git on PATH", hint: refusal.detail || "install git" });
    case "git-too-old":
      return problem({
        path: "git",
        value: refusal.found,
        expected: `git ${refusal.wanted} or newer`,
        hint: "install a newer git",
      });
    case "no-folder":
      return problem({
        path: "--cwd",
        value: refusal.path,
        expected: "a folder that is there",
        hint: "give the path of a folder in the repository",
      });
    case "not-a-repository":
      return problem({
        file: refusal.path,
        expected: "a git repository",
        hint: 'run "git init" and commit the project, or start inside its repository (--cwd)',
      });
    case "unsafe-owner":
      return problem({ file: refusal.path, expected: "a repository of your own", hint: refusal.detail });
    case "bare":
      return problem({
        file: refusal.path,
        expected: "a repository with a working tree, but it is bare",
        hint: 'make one with "git worktree add", and start there',
      });
    case "path-unusable":
      return problem({
        file: refusal.path,
        expected: "a repository at a path in UTF-8 without line breaks",
        hint: "move it to such a path",
      });
    case "no-commit":
      return problem({
        file: refusal.path,
        expected: "a repository with at least one commit",
        hint: "commit the project first: a run needs a commit to start from",
      });
    case "ref-storage-unsupported":
      return problem({
        file: refusal.path,
        value: refusal.storage,
        expected: "refs stored as files",
        hint: 'convert with "git refs migrate --ref-format=files"',
      });
    case "lfs-missing":
      return problem({
        file: refusal.path,
        expected: "git-lfs on PATH, because files of this repository need it",
        hint: "install git-lfs",
      });
    case "git-failed":
      return problem({ expected: "a repository that git can read", hint: describe(refusal.failure) });
    default:
      return unreachable(refusal, "checkoutRefusal");
  }
}
