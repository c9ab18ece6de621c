// Who a dispatch is in git's eyes: agents run under this name, so that reflogs and commits say which refs were
// moved by a dispatch and which by the builder beside it.

/** Environment of one dispatch. `dispatch` is its id within the run. */
export function dispatchIdentity(dispatch: string, runId: string): Record<string, string> {
  const name = "execute-prd agent";
  const email = `${dispatch}${emailEnding(runId)}`;
  return {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
  };
}

/** Whether an address is that of this dispatch; without an id, of any dispatch of the run. */
export function isDispatchEmail(
  email: string,
  at: { readonly runId: string; readonly dispatch: string | null },
): boolean {
  const ending = emailEnding(at.runId);
  return at.dispatch === null ? email.endsWith(ending) : email === `${at.dispatch}${ending}`;
}

// ".invalid" can never be a real address (RFC 2606).
function emailEnding(runId: string): string {
  return `.${runId}@execute-prd.invalid`;
}
