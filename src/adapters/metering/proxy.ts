// The metering proxy of one run: a server on loopback, at a random port, between agents and the services they ask.
//
// An agent has a token instead of a key; the token is its dispatch's alone and ends with it. The proxy puts the real
// key in its place, counts what is used, and lets nothing through once a cap is reached. It forwards to two services,
// at the few paths that an agent needs, and trusts nobody on this machine: who does not know a token gets nothing.

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { limits } from "../../core/limits.ts";
import type { Usage } from "../../core/report.ts";
import { type Account, type Caps, type CostOf, openAccounts, type Reached, type Use } from "./account.ts";
import { forward } from "./forward.ts";
import { findRoute, type Route } from "./route.ts";
import type { Service, Services } from "./upstreams.ts";

/** A limit that a service told, and after which it answered nothing more. */
interface Limit {
  /** null: it does not say when it ends. */
  readonly resetAtMs: number | null;
}

/** That a service failed, or would not have the builder's key, and answered nothing more after it. */
interface Trouble {
  /** null: it could not be reached, broke off, or gave no answer that can be passed on. */
  readonly status: number | null;
}

export interface Metered {
  /** null: nothing was asked. */
  readonly usage: Usage | null;
  readonly limit: Limit | null;
  readonly trouble: Trouble | null;
  /** The cap that requests were refused for; null: none was. */
  readonly reached: Reached | null;
}

export interface MeteredDispatch {
  readonly id: string;
  readonly caps: Caps;
  readonly costOf: CostOf;
}

export interface MeteringProxy {
  /** `http://127.0.0.1:<port>` */
  readonly address: string;
  /** The token that the dispatch may ask with. */
  open(dispatch: MeteredDispatch): string;
  /** Ends what it still asks, and says what it used. */
  close(id: string): Metered;
  end(): void;
}

interface Open {
  readonly hash: Buffer;
  readonly account: Account;
  readonly running: Set<() => void>;
  limit: Limit | null;
  trouble: Trouble | null;
  reached: Reached | null;
}

const nothing: Metered = { usage: null, limit: null, trouble: null, reached: null };

export async function startMeteringProxy({ services }: { services: Services }): Promise<MeteringProxy> {
  const openAccount = openAccounts();
  const dispatches = new Map<string, Open>();
  const server = createServer({ maxHeaderSize: limits.meteredHeaderBytes }, (asked, answer) => {
    serve({
      asked,
      answer,
      services,
      host: hostOf(server),
      find: (token) => findDispatch(dispatches, token),
    });
  });
  server.maxConnections = limits.meteredConnections;
  server.requestTimeout = limits.meteredIdleMs;
  server.setTimeout(limits.meteredIdleMs);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  server.unref();
  return {
    address: `http://${hostOf(server)}`,
    open: ({ id, caps, costOf }) => {
      const token = `sk-${randomBytes(32).toString("base64url")}`;
      const account = openAccount(caps, costOf);
      const running = new Set<() => void>();
      dispatches.set(id, { ...nothing, hash: hash(token), account, running });
      return token;
    },
    close: (id) => {
      const dispatch = dispatches.get(id);
      if (dispatch === undefined) return nothing;
      dispatches.delete(id);
      for (const end of dispatch.running) end();
      const { account, limit, reached, trouble } = dispatch;
      const usage = account.usage();
      account.close();
      return { usage, limit, trouble, reached };
    },
    end: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

interface Serving {
  readonly asked: IncomingMessage;
  readonly answer: ServerResponse;
  readonly services: Services;
  readonly host: string;
  readonly find: (token: string) => Open | null;
}

function serve(serving: Serving): void {
  const { asked, answer, host, find } = serving;
  answer.on("error", () => {}); // the agent is gone, which "close" tells
  const route = asked.headers.host === host ? findRoute(asked) : null;
  if (route === null) {
    refuse(answer, null, { status: 404, message: "there is nothing here" });
    return;
  }
  const dispatch = find(tokenOf(asked.headers));
  const service = serving.services[route.protocol];
  if (dispatch === null || service === undefined) {
    refuse(answer, route, { status: 401, message: "this key is not of a dispatch under way" });
    return;
  }
  const passage = { route, dispatch, service };
  if (route.isMetered) wait(serving, passage);
  else pass(serving, passage, () => {});
}

interface Passage {
  readonly route: Route;
  readonly dispatch: Open;
  readonly service: Service;
}

/** Requests at once must not pass the cap together: one goes out when there is room for it beside the others. */
function wait(serving: Serving, passage: Passage): void {
  const { answer } = serving;
  const { dispatch, route } = passage;
  const leaveTheDoor = (): void => {
    answer.destroy();
  };
  let used: Use | null = null;
  dispatch.running.add(leaveTheDoor);
  const leave = dispatch.account.enter(() => {
    if (answer.destroyed) return;
    const reached = dispatch.account.reached();
    if (reached === null) {
      pass(serving, passage, (use) => {
        used = use;
        dispatch.account.add(use);
      });
      return;
    }
    dispatch.reached = reached;
    refuse(answer, route, { status: 402, message: "the budget of this run is used up" });
  });
  answer.on("close", () => {
    dispatch.running.delete(leaveTheDoor);
    leave(used);
  });
}

function pass(
  { asked, answer }: Serving,
  { route, dispatch, service }: Passage,
  onUse: (use: Use) => void,
): void {
  const end = forward({
    ...route,
    asked,
    answer,
    service,
    onAnswer: (status, headers, use) => {
      if (!route.isMetered) return;
      dispatch.limit = status === 429 ? { resetAtMs: resetOf(headers) } : null;
      dispatch.trouble = status >= 500 || keyTroubles.includes(status) ? { status } : null;
      if (use !== null) onUse(use);
    },
    onFailure: () => {
      if (route.isMetered) dispatch.trouble = { status: null };
    },
    refuse: (status, message) => refuse(answer, route, { status, message }),
  });
  dispatch.running.add(end);
  answer.on("close", () => dispatch.running.delete(end));
}

/** What a service says of the builder's key. */
const keyTroubles = [401, 402, 403];

/** All are compared, each in the same time, so that nothing can be learnt from how long it takes. */
function findDispatch(dispatches: ReadonlyMap<string, Open>, token: string): Open | null {
  const wanted = hash(token);
  let found: Open | null = null;
  for (const dispatch of dispatches.values()) {
    if (timingSafeEqual(dispatch.hash, wanted)) found = dispatch;
  }
  return found;
}

function tokenOf({ authorization, "x-api-key": asKey }: IncomingHttpHeaders): string {
  if (typeof asKey === "string") return asKey;
  return /^Bearer (\S+)$/.exec(authorization ?? "")?.[1] ?? "";
}

function hash(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function hostOf(server: Server): string {
  const address = server.address();
  return typeof address === "object" && address !== null ? `127.0.0.1:${address.port}` : "";
}

/** In the words of the protocol, so that an agent understands it and does not ask again and again. */
function refuse(
  answer: ServerResponse,
  route: Route | null,
  { status, message }: { status: number; message: string },
): void {
  if (answer.headersSent) {
    answer.destroy();
    return;
  }
  const type = errorTypes[status] ?? "api_error";
  const error = {
    type,
    message: `execute-prd: ${message}`,
    ...(route?.protocol === "responses" && { code: type }),
  };
  const body = route?.protocol === "responses" ? { error } : { type: "error", error };
  answer.writeHead(status, { "content-type": "application/json" });
  answer.end(JSON.stringify(body));
}

const errorTypes: Readonly<Record<number, string>> = {
  401: "authentication_error",
  402: "billing_error",
  404: "not_found_error",
  413: "request_too_large",
};

/** null: it is not said. */
function resetOf(headers: IncomingHttpHeaders): number | null {
  const nowMs = Date.now();
  const milliseconds = numberIn(headers["retry-after-ms"]);
  if (milliseconds !== null) return Math.ceil(nowMs + milliseconds);
  const seconds = numberIn(headers["retry-after"]);
  if (seconds !== null) return Math.ceil(nowMs + seconds * 1_000);
  const ofAccount = numberIn(headers["anthropic-ratelimit-unified-reset"]);
  const moment = ofAccount === null ? Date.parse(headers["retry-after"] ?? "") : ofAccount * 1_000;
  return Number.isNaN(moment) ? null : Math.max(moment, nowMs);
}

function numberIn(value: string | readonly string[] | undefined): number | null {
  return typeof value === "string" && /^\d{1,12}(?:\.\d+)?$/.test(value) ? Number(value) : null;
}
