// Runs a regular expression of a model over files, in a thread that is ended when its time is up: a pattern can be
// written so that it takes for ever.

import { Worker } from "node:worker_threads";
import { limits } from "../../../core/limits.ts";
import source from "./grep-worker.js.txt";

export interface Hits {
  readonly hits: readonly { readonly file: string; readonly line: number; readonly text: string }[];
  readonly isCut: boolean;
}

interface Search {
  readonly folder: string;
  readonly files: readonly string[];
  readonly source: string;
  readonly flags: string;
  readonly signal: AbortSignal;
}

/** A sentence where it could not be done. */
export function searchFiles({ signal, ...wanted }: Search): Promise<Hits | string> {
  if (signal.aborted) return Promise.resolve("stopped");
  const worker = new Worker(source, {
    eval: true,
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 256 },
    workerData: {
      ...wanted,
      mostHits: limits.searchHits,
      mostBytes: limits.toolFileBytes,
      mostLineChars: limits.toolLineChars,
    },
  });
  return new Promise((resolve) => {
    const stop = () => end("stopped");
    const timer = setTimeout(() => end(`the search took longer than ${limits.searchMs} ms`), limits.searchMs);
    function end(result: Hits | string): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      resolve(result);
      void worker.terminate();
    }
    signal.addEventListener("abort", stop, { once: true });
    worker.once("message", (hits: Hits) => end(hits)); // our own thread made it
    worker.once("error", (error) => end(`the search failed: ${error.message}`));
    worker.once("exit", () => end("the search ended early"));
  });
}
