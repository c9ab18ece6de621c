// How long a service asks to be left alone, by its headers.

import { limits } from "../../../core/limits.ts";

/** Until another request is welcome, milliseconds from now; null: it does not say. */
export function retryAfterMs(headers: Headers, nowMs: number): number | null {
  const exact = toAmount(headers.get("retry-after-ms"), 1);
  const value = headers.get("retry-after");
  return toBounded(exact ?? toAmount(value, 1_000) ?? toDistance(value, nowMs), nowMs);
}

/** The same where a limit was reached: the moments at which limits are filled again tell it too. */
export function limitEndMs(headers: Headers, nowMs: number): number | null {
  return retryAfterMs(headers, nowMs) ?? toBounded(resetMs(headers, nowMs), nowMs);
}

function toBounded(waitMs: number | null, nowMs: number): number | null {
  return waitMs === null ? null : Math.min(Math.max(0, Math.ceil(waitMs)), limits.latestMomentMs - nowMs);
}

function toAmount(value: string | null, unitMs: number): number | null {
  if (value === null || !/^\s*[0-9]+(?:\.[0-9]+)?\s*$/.test(value)) return null;
  return Number(value) * unitMs;
}

function toDistance(value: string | null, nowMs: number): number | null {
  const atMs = Date.parse(value ?? "");
  return Number.isNaN(atMs) ? null : atMs - nowMs;
}

/** When the last of the limits that are used up is filled again; where none is named as used up, the first of all. */
function resetMs(headers: Headers, nowMs: number): number | null {
  const usedUp: number[] = [];
  const others: number[] = [];
  for (const [name, value] of headers) {
    const limit = /^(anthropic-ratelimit-.+)-reset$/.exec(name)?.[1];
    const distance = limit === undefined ? null : toDistance(value, nowMs);
    if (distance === null) continue;
    (headers.get(`${limit}-remaining`)?.trim() === "0" ? usedUp : others).push(distance);
  }
  if (usedUp.length > 0) return Math.max(...usedUp);
  return others.length > 0 ? Math.min(...others) : null;
}
