// Each shape finds its tokens and leaves alone what only begins like one; and it stays linear.
import { describe, expect, it } from "vitest";
import { tokenChars, tokenShapes } from "../../../src/core/evidence/token-shapes.ts";
import { timed } from "../../support/processor-time.ts";

const pattern = new RegExp(tokenShapes.map((shape) => shape.pattern).join("|"), "g");
const of = (text: string): string[] => [...text.matchAll(pattern)].map(([token]) => token);

const a = (count: number): string => "aB3".repeat(200).slice(0, count);
const jwt = `eyJ${a(20)}.eyJ${a(40)}.${a(43)}`;
const pem = `-----BEGIN RSA PRIVATE KEY-----\n${a(64)}\n${a(20)}==\n-----END RSA PRIVATE KEY-----`;

const tokens: readonly string[] = [
  `sk-ant-api03-${a(90)}_${a(5)}`,
  `sk-proj-${a(48)}`,
  `sk-${a(48)}`,
  `sk_live_${a(24)}`,
  `ghp_${a(36)}`,
  `gho_${a(36)}`,
  `ghs_${a(36)}`,
  `github_pat_${a(22)}_${a(59)}`,
  `glpat-${a(20)}`,
  `xoxb-1234567890-${a(24)}`,
  "AKIAIOSFODNN7EXAMPLE",
  `AIza${a(35)}`,
  `npm_${a(36)}`,
  `hf_${a(34)}`,
  `Bearer ${a(24)}`,
  jwt,
  pem,
];

describe("token shapes", () => {
  it.each(tokens)("find %s, wherever it stands", (token) => {
    for (const [before, after] of [
      ["", ""],
      ["key: ", ","],
      ['{"key":"', '"}'],
      ["line\\n", "\\nline"],
      ["\n-", "\n"],
      ["\n+", "\n"],
      ["url?key%3D", "&x=1"],
      ["\u001b[31m", "\u001b[0m"],
      ["https://user:", "@host/"],
    ] as const) {
      expect(of(`${before}${token}${after}`), before).toEqual([token]);
    }
  });

  it("find a private key without its end as far as it goes", () => {
    const cut = pem.slice(0, 80);
    expect(of(`${cut}`)).toEqual([cut]);
    expect(of(`${cut}…\n`)).toEqual([cut]);
    expect(of(pem.replaceAll("\n", "\\n"))).toEqual([pem.replaceAll("\n", "\\n")]);
    expect(of(pem.replaceAll("\n", "\n+"))).toEqual([pem.replaceAll("\n", "\n+")]);
  });

  it.each([
    "0123456789abcdef0123456789abcdef01234567",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "20261121T112413Z-3fa9c1",
    "2026-11-21T11:24:13.000Z",
    "sk-learn",
    "sk-learn-pipelines-and-nothing-else",
    "task-1234567890abcdefghij1234",
    "risk-1234567890abcdefghij1234",
    "npm_config_registry_of_a_project_with_1_name",
    "Bearer tokens-are-described-in-the-chapter",
    "Bearer of the message",
    "hf_short",
    "AKIA and the rest",
    "AKIAIOSFODNN7EXAMPLEX",
    "eyJhbGciOiJIUzI1NiJ9",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
  ])("leave %s alone", (text) => {
    expect(of(text)).toEqual([]);
  });

  it("are bounded as they say", () => {
    expect(
      Math.max(...of(`${pem.slice(0, 60)}${"a ".repeat(20_000)}`).map((token) => token.length)),
    ).toBeLessThan(tokenChars);
    expect(of(`eyJ${"a".repeat(500)}.eyJ${"a".repeat(6_000)}.${"a".repeat(5_000)}`)[0]?.length).toBeLessThan(
      tokenChars,
    );
  });

  it.each([
    "sk-",
    "-eyJ",
    ".eyJ",
    "eyJaaaaa.",
    "Bearer ",
    "-----BEGIN PRIVATE KEY-----a!",
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----\n",
    "xoxb-",
    "%3Dsk-a",
  ])("take a text of nothing but %j in time", (piece) => {
    const text = piece.repeat(400_000 / piece.length);
    expect(timed(() => of(text)).ms).toBeLessThan(2_000);
  });
});
