// Shapes by which the keys of well-known services are recognised, wherever they come from: pattern sources, so that
// whoever looks for them can put them into one pattern.
//
// Each stays linear: heads are fixed texts, what follows is bounded.

export interface TokenShape {
  readonly name: string;
  /** Every token of this shape begins with one of these. */
  readonly heads: readonly string[];
  /** Source of a pattern for a whole token, with its head. */
  readonly pattern: string;
  /** Source of a pattern for a head and all that can follow it in a token; at the end of a text it may go on. */
  readonly open: string;
}

/** How far before a token a pattern looks: whoever cuts a text keeps as much. */
export const tokenContextChars = 16;

/** No token, and nothing that could still become one, is longer. */
export const tokenChars = 8_400;

export const tokenShapes: readonly TokenShape[] = [
  shape({ name: "private API key", heads: ["sk-"], body: "[A-Za-z0-9_-]", min: 20, digit: true }),
  shape({ name: "payment key", heads: ["sk_live_", "sk_test_", "rk_live_"], body: alphanumeric(), min: 20 }),
  shape({
    name: "GitHub token",
    heads: ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
    body: alphanumeric(),
    min: 30,
  }),
  shape({ name: "GitHub token", heads: ["github_pat_"], body: "[A-Za-z0-9_]", min: 22 }),
  shape({ name: "GitLab token", heads: ["glpat-"], body: "[A-Za-z0-9_.-]", min: 20 }),
  shape({
    name: "Slack token",
    heads: ["xoxa-", "xoxb-", "xoxe-", "xoxp-", "xoxr-", "xoxs-", "xapp-"],
    body: "[A-Za-z0-9-]",
    min: 10,
    digit: true,
  }),
  shape({ name: "AWS access key id", heads: ["AKIA", "ASIA"], body: "[0-9A-Z]", min: 16, max: 16 }),
  shape({ name: "Google API key", heads: ["AIza"], body: "[0-9A-Za-z_-]", min: 35, max: 35 }),
  shape({ name: "npm token", heads: ["npm_"], body: alphanumeric(), min: 36, max: 36 }),
  shape({ name: "Hugging Face token", heads: ["hf_"], body: alphanumeric(), min: 30 }),
  shape({
    name: "bearer token",
    heads: ["Bearer ", "bearer ", "BEARER "],
    body: "[A-Za-z0-9._~+/=-]",
    min: 20,
    max: 2_000,
    digit: true,
  }),
  {
    name: "JSON web token",
    heads: ["eyJ"],
    pattern: `eyJ${begins("eyJ")}[A-Za-z0-9_-]{5,500}\\.eyJ[A-Za-z0-9_-]{5,6000}\\.[A-Za-z0-9_-]{10,1000}`,
    open: `eyJ${begins("eyJ")}[A-Za-z0-9_-]{0,500}(?:\\.(?:ey?|eyJ[A-Za-z0-9_-]{0,6000}(?:\\.[A-Za-z0-9_-]{0,1000})?)?)?`,
  },
  {
    name: "private key",
    heads: ["-----BEGIN "],
    // To its end line; where that is missing, as far as it looks like a key.
    pattern: `${pem("BEGIN")}(?:(?:(?!-----BEGIN )[\\s\\S]){0,8000}?${pem("END")}|[A-Za-z0-9+/=\\s\\\\]{0,8000})`,
    open: `-----BEGIN (?:[A-Z0-9 ]{0,60}-{0,5}|[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----BEGIN |${pem("END")})[\\s\\S]){0,8200})`,
  },
];

function alphanumeric(): string {
  return "[A-Za-z0-9]";
}

/** A head and at least `min` characters of `body`, not in the middle of a word; with `digit`, one of them a digit. */
function shape(at: {
  name: string;
  heads: readonly string[];
  body: string;
  min: number;
  max?: number;
  digit?: boolean;
}): TokenShape {
  const { name, heads, body, min, max = 400, digit = false } = at;
  const wanted = digit ? `(?=${body.replace("0-9", "")}{0,40}[0-9])` : "";
  const isExact = min === max;
  const end = isExact ? `(?!${body})` : "";
  const start = `(?:${heads.map((head) => `${head}${begins(head)}`).join("|")})`;
  return {
    name,
    heads,
    pattern: `${start}${wanted}${body}{${min},${max}}${end}`,
    open: `${start}${body}{0,${max}}`,
  };
}

/**
 * Not after what could be a part of it, but for what only looks so: an escaped line break, the minus of a patch, an
 * escaped byte, a colour. So of a long run of such characters only the first can begin a token, and a search stays
 * linear. Looked at behind the head, so that it goes from head to head.
 */
function begins(head: string): string {
  const seeming = "(?:^|\\n|\\\\[nrt])-|\\\\[nrt]|%[0-9A-Fa-f]{2}|\\[[0-9;]{0,10}m";
  return `(?<=(?:(?<![A-Za-z0-9_-])|${seeming})${head})`;
}

function pem(word: string): string {
  return `-----${word} [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----`;
}
