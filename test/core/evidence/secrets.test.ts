// Secrets in added lines: known shapes and random-looking values, and everything that only looks like one.
import { expect, test } from "vitest";
import { change, findingsOf, told } from "./change.ts";

// Put together here, so that this file holds none of them.
const random = "Zx9kQ2mR7vT4bN8wL1pH";
const tokens: readonly [string, string][] = [
  ["an AWS access key", `AKIA${"Q7ZP4M2X9KB8RT3W"}`],
  ["a GitHub token", `ghp_${random}${"a1B2c3D4e5F6g7H8"}`],
  ["a GitHub token", `github_pat_11${random}`],
  ["an Anthropic key", `sk-ant-api03-${random}`],
  ["an OpenAI key", `sk-${random}${random}`],
  ["a Slack token", `xoxb-${"4821739605"}-${random}`],
  ["a Google key", `AIza${random}${"a9B2c7D4e1F6g3H"}`],
  ["an npm token", `npm_${random}${"a1B2c3D4e5F6g7H8"}`],
  ["a GitLab token", `glpat-${random}`],
  ["a Stripe key", `sk_live_${random}`],
  ["a Hugging Face token", `hf_${random}${random}`],
  ["a signed web token", `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.${random}${random}`],
];

test.each(tokens)("%s is found and not repeated", (what, token) => {
  const findings = findingsOf([change("src/a.ts", "a();\n", `a();\nconst key = "${token}";\n`)]);
  expect(findings).toMatchObject([
    { effect: "reject", kind: "secret-added", line: 2, text: `${what} in "src/a.ts"` },
  ]);
  expect(JSON.stringify(findings)).not.toContain(random);
});

test("one that the base had is none that was added, wherever its line went", () => {
  const line = `const key = "${tokens[3]?.[1]}";\n`;
  expect(told([change("src/a.ts", line, "a();\n"), change("src/b.ts", "b();\n", `b();\n${line}`)])).toEqual(
    [],
  );
});

test.each([
  `api_key = "${random}"`,
  `{ "clientSecret": "${random}" }`,
  `const authToken: string = "${random}"`.replace(": string", ""),
  `password => '${random}'`,
  `config["secret"] = "${random}"`,
])("a random value with the name of a secret is found: %s", (line) => {
  expect(told([change("src/a.ts", null, `${line}\n`)])).toEqual(["reject secret-added src/a.ts:1"]);
});

test("so is a bare one in a file of variables", () => {
  expect(told([change(".env", null, `export MY_API_KEY=${random}\n`)])).toEqual([
    "reject secret-added .env:1",
  ]);
});

test.each([
  ["test/a.test.ts", `const token = "${random}";`],
  ["docs/a.md", `token: "${random}"`],
  ["src/a.ts", 'clientSecret: "3f2b8c9e-71d4-4a6f-9b05-c2e8d7a1f640"'],
  ["test/a.test.ts", `const t = "${tokens[11]?.[1]}";`],
])("in %s it may be none: to be justified", (path, line) => {
  expect(told([change(path, null, `${line}\n`)])).toEqual([`justify possible-secret ${path}:1`]);
});

test.each([
  `const t = "ghp_${"x".repeat(36)}";`,
  'const apiKey = "your-api-key-goes-here-123";',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a line of code in a text
  'const token = "${process.env.TOKEN}";',
  'const secretName = "my-service-production-2";',
  'const tokenKind = "IdentifierOrKeyword1a2b3c";',
  'const passwordField = "aaaaaaaa11111111aaaa2222";',
  `const hash = "${random}";`,
  'const token = "short1A2b3C";',
])("this is no secret: %s", (line) => {
  expect(told([change("src/a.ts", null, `${line}\n`)])).toEqual([]);
});

test.each([
  ["reject secret-added", `"ghp_${"0123456789abcdefghijklmnopqrstuvwxyz"}"`],
  ["reject secret-added", `"sk-ant-api03-${"A".repeat(80)}"`],
  ["justify possible-secret", `"AKIAIOSFODNN7${"EXAMPLE"}"`],
])(
  "the shape of a token that looks made up is %s where it is run, and none in tests and documents",
  (effect, token) => {
    expect(told([change("src/a.ts", null, `${token}\n`)])).toContain(`${effect} src/a.ts:1`);
    expect(told([change("config/a.ini", null, `${token}\n`)])).toContain(`${effect} config/a.ini:1`);
    expect(
      told([change("test/a.test.ts", null, `${token}\n`), change("docs/a.md", null, `${token}\n`)]),
    ).toEqual([]);
  },
);

test("values in files that tools generate are none, unless they have the shape of a token", () => {
  expect(told([change("yarn.lock", null, `token "${random}"\ntoken: "${random}"\n`)])).toEqual([]);
  expect(told([change("yarn.lock", null, `a: "${tokens[1]?.[1]}"\n`)])).toEqual([
    "reject secret-added yarn.lock:1",
  ]);
});

const pem = (body: string) => `-----BEGIN RSA PRIVATE KEY-----\n${body}\n-----END RSA PRIVATE KEY-----\n`;

test("a private key is found by its head with a key behind it", () => {
  const key = `${random}${random}${random}`;
  expect(told([change("key.pem", null, pem(key))])).toEqual(["reject secret-added key.pem:1"]);
  expect(told([change("a.ts", null, `const k = "-----BEGIN PRIVATE KEY-----\\n${key}";\n`)])).toEqual([
    "reject secret-added a.ts:1",
  ]);
  expect(told([change("test/key.pem", null, pem(key))])).toEqual(["justify possible-secret test/key.pem:1"]);
  expect(told([change("a.md", null, pem("..."))])).toEqual([]);
  expect(told([change("a.md", null, pem("x".repeat(60)))])).toEqual([]);
});

test("a private key that only moved is none that was added", () => {
  const key = pem(`${random}${random}${random}`);
  expect(told([change("a.key", key, "a\n"), change("b.key", "b\n", `b\n${key}`)])).toEqual([]);
});

test("the value of a variable of the builder is a secret, whatever its shape", () => {
  const knownSecrets = [{ path: "src/a.ts", line: 2, name: "DB_PASSWORD" }];
  expect(findingsOf([change("src/a.ts", "a\n", "a\nb\n")], { knownSecrets })).toMatchObject([
    {
      effect: "reject",
      kind: "secret-added",
      file: "src/a.ts",
      line: 2,
      text: 'the value of the builder\'s variable DB_PASSWORD in "src/a.ts"',
    },
  ]);
});

test("a file that is called like a token is found, one that was there is none", () => {
  const path = `keys/ghp_${random}a1B2c3D4e5F6g7H8.txt`;
  expect(told([change(path, null, "x\n")])).toEqual([`reject secret-added ${path}:1`]);
  expect(told([change(path, "x\n", "y\n")])).toEqual([]);
});
