// Which variables of an environment hold secrets.
import { describe, expect, it } from "vitest";
import { secretsIn } from "../../../src/adapters/redaction/secrets.ts";

const value = "Zq8-horse-battery";

describe("a variable holds a secret when it", () => {
  it.each([
    "ANTHROPIC_API_KEY",
    "OPENAI_KEY",
    "GH_TOKEN",
    "token",
    "CLIENT_SECRET",
    "DB_PASSWORD",
    "MYSQL_PASSWD",
    "DB_PWD",
    "GPG_PASSPHRASE",
    "GOOGLE_CREDENTIALS",
    "npm_config_//registry.npmjs.org/:_authToken",
    "HTTP_AUTH",
    "SOME_API",
    "AWS_ACCESS_KEY_ID",
  ])("is called %s", (name) => {
    expect(secretsIn({ [name]: value })).toMatchObject([{ value }]);
  });

  it.each(["GIT_AUTHOR_NAME", "KEYBOARD", "HOME", "EDITOR", "PASSAGE", "CAPITAL", "MONKEYS_OF", "AUTHORITY"])(
    "is not called %s",
    (name) => {
      expect(secretsIn({ [name]: value })).toEqual([]);
    },
  );

  it.each(["SSH_KEY_PATH", "AUTH_TYPE", "API_VERSION", "PRIVATE_KEY_FILE", "SSH_AUTH_SOCK", "TOKEN_URL"])(
    "is not called %s, which is about one",
    (name) => {
      expect(secretsIn({ [name]: value })).toEqual([]);
    },
  );

  it.each([
    "1",
    "true",
    "12345678901",
    "123456789012345",
    "1_000_000_000_000",
    "/root/.ssh/id_ed25519",
    "/home/Bob1/projects/deploykey2024",
    "~/.ssh/id_ed25519",
    "./secrets/key.pem",
    "config/secrets/key.pem",
    "C:\\Users\\bob\\key.pem",
    "file:///root/.ssh/id",
    "************",
    "----------------",
    "            ",
    "",
  ])("does not hold %j: too short, a number, a path, or nothing", (found) => {
    expect(secretsIn({ SOME_KEY: found })).toEqual([]);
  });

  it("does not hold the name of another variable", () => {
    expect(secretsIn({ KEY_VARIABLE: "SOME_OTHER_NAME", SOME_OTHER_NAME: "x" })).toEqual([]);
  });

  it("begins with a slash as one random key in 64 does", () => {
    const key = "/Jb7MqT2xLw9RkVn4ZcYd8PfGh3sKe6uBa5oWi1N";
    expect(secretsIn({ AWS_SECRET_ACCESS_KEY: key })).toMatchObject([{ value: key }]);
  });

  it("has a name that stands over much else, and looks random", () => {
    const found = secretsIn({
      API_BASE: "https://api.example.com/v1",
      AUTH: "client-credentials",
      AUTH_HEADER: "some words that explain 1 thing",
      OTHER_API: "https://user:pass1word@example.com/v1",
    });
    expect(found.map(({ name }) => name)).toEqual(["OTHER_API"]);
  });
});

describe("of a secret", () => {
  it("spaces around it do not belong to it", () => {
    expect(secretsIn({ A_TOKEN: ` ${value}\n` })).toEqual([{ name: "A_TOKEN", value }]);
  });

  it("the lines of a key, the entries of a list and the keys in a JSON document are secrets too", () => {
    const line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC";
    const pem = `-----BEGIN PRIVATE KEY-----\n${line}\n-----END PRIVATE KEY-----`;
    const values = (environment: Record<string, string>) =>
      secretsIn(environment).map((secret) => secret.value);
    expect(values({ A_KEY: pem })).toEqual([pem, line]);
    expect(values({ A_KEYS: "first-key-of-2,second-key-of-2,3" })).toEqual([
      "first-key-of-2,second-key-of-2,3",
      "first-key-of-2",
      "second-key-of-2",
    ]);
    const json = JSON.stringify({
      type: "service_account",
      private_key_id: "0f1e2d3c4b5a6978",
      token: value,
    });
    expect(values({ A_CREDENTIAL: json })).toContain(value);
    expect(values({ A_CREDENTIAL: json })).not.toContain("service_account");
    expect(values({ A_CREDENTIAL: '{"not": json 1234' })).toEqual(['{"not": json 1234']);
  });

  it("the name is shown without what could confuse a reader", () => {
    expect(secretsIn({ "npm_//host/:_authToken": value })).toMatchObject([{ name: "npm__host__authToken" }]);
  });
});
