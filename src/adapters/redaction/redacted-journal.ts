// A journal that never holds a secret: what is recorded, and so what is folded and derived, is the redacted event.

import type { Journal } from "../../ports.ts";
import type { Redaction } from "./redaction.ts";

export function toRedactedJournal(journal: Journal, redaction: Pick<Redaction, "json">): Journal {
  return { append: (event, atMs) => journal.append(redaction.json(event), atMs) };
}
