// Which requests go through the proxy, and where to.

import type { IncomingMessage } from "node:http";
import type { Protocol } from "./upstreams.ts";

export interface Route {
  readonly protocol: Protocol;
  /** Path and query behind the service's address. */
  readonly target: string;
  readonly isMetered: boolean;
}

const modelName = /^\/v1\/models(?:\/[A-Za-z0-9][A-Za-z0-9._:-]{0,199})?$/;
const plainQuery = /^(?:\?[A-Za-z0-9_.~%=&+-]{0,1000})?$/;

/** null: there is no way for it. */
export function findRoute({
  method,
  url = "",
  headers,
}: Pick<IncomingMessage, "method" | "url" | "headers">): Route | null {
  const [path = "", ...rest] = url.split("?");
  const query = rest.length === 0 ? "" : `?${rest.join("?")}`;
  if (!plainQuery.test(query)) return null;
  if (method === "GET" && modelName.test(path)) return toModels(headers, path, query);
  if (method !== "POST") return null;
  switch (path) {
    case "/v1/messages":
      return { protocol: "messages", target: `${path}${query}`, isMetered: true };
    case "/v1/messages/count_tokens":
      return { protocol: "messages", target: `${path}${query}`, isMetered: false };
    case "/v1/responses":
      return { protocol: "responses", target: `/responses${query}`, isMetered: true };
    default:
      return null;
  }
}

/** Both services have the path: who asks in the version of the one does not mean the other. */
function toModels(headers: IncomingMessage["headers"], path: string, query: string): Route {
  return headers["anthropic-version"] === undefined
    ? { protocol: "responses", target: `${path.slice("/v1".length)}${query}`, isMetered: false }
    : { protocol: "messages", target: `${path}${query}`, isMetered: false };
}
