// Whom the proxy asks, with which key, and how agents find it instead.

import { describe, expect, test } from "vitest";
import { findServices, meteredKeys, toVariables } from "../../../src/adapters/metering/upstreams.ts";

describe("The services", () => {
  test("are those that the builder has a key for, at the builder's address or the usual one", () => {
    expect(findServices({})).toEqual({ ok: true, value: {} });
    expect(findServices({ ANTHROPIC_API_KEY: " k1 ", OPENAI_API_KEY: "k2" })).toEqual({
      ok: true,
      value: {
        messages: { baseUrl: "https://api.anthropic.com", key: "k1", isToken: false },
        responses: { baseUrl: "https://api.openai.com/v1", key: "k2", isToken: false },
      },
    });
    const own = {
      ANTHROPIC_AUTH_TOKEN: "t",
      ANTHROPIC_BASE_URL: "http://127.0.0.1:4000/",
      OPENAI_BASE_URL: "https://gate.example/v1",
    };
    expect(findServices(own)).toEqual({
      ok: true,
      value: { messages: { baseUrl: "http://127.0.0.1:4000", key: "t", isToken: true } },
    });
  });

  test.each([
    "http://gate.example",
    "http://127.0.0.1.gate.example",
    "ftp://127.0.0.1",
    "https://a:b@gate.example",
    "https://gate.example?a=b",
    "nonsense",
  ])("are not asked at %s", (address) => {
    const found = findServices({ ANTHROPIC_API_KEY: "k", ANTHROPIC_BASE_URL: address });
    expect(found).toMatchObject({ ok: false, failure: expect.stringContaining("ANTHROPIC_BASE_URL") });
  });

  test("are found by agents in the variables in which the builder has the key, with the token in its place", () => {
    const environment = { ANTHROPIC_AUTH_TOKEN: "t", CODEX_API_KEY: "k", OPENAI_API_KEY: "k" };
    const at = { token: "sk-dummy", address: "http://127.0.0.1:1" };
    expect(toVariables(environment, "messages", at)).toEqual({
      ANTHROPIC_AUTH_TOKEN: "sk-dummy",
      ANTHROPIC_BASE_URL: "http://127.0.0.1:1",
    });
    expect(toVariables(environment, "responses", at)).toEqual({
      CODEX_API_KEY: "sk-dummy",
      OPENAI_API_KEY: "sk-dummy",
      OPENAI_BASE_URL: "http://127.0.0.1:1/v1",
    });
    expect(meteredKeys).toContain("ANTHROPIC_API_KEY");
    expect(meteredKeys).not.toContain("ANTHROPIC_BASE_URL");
  });
});
