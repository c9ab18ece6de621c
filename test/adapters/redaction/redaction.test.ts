// Secrets in texts, data and streams: found in every form, replaced by a mark, and nothing else changed.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRedaction, type Redaction } from "../../../src/adapters/redaction/redaction.ts";
import { timed } from "../../support/processor-time.ts";

const key = 'Zq8"horse\\battery/sté+ple';
const token = "ghp_aB3aB3aB3aB3aB3aB3aB3aB3aB3aB3aB3aB3";
const pemLine = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7";
const pem = `-----BEGIN PRIVATE KEY-----\n${pemLine}\n${pemLine.toLowerCase()}\n-----END PRIVATE KEY-----`;
const environment = {
  APP_KEY: key,
  LONG_KEY: "Zq8-horse-battery-and-more",
  SHORT_KEY: "Zq8-horse-battery",
  API_KEY: "1",
  SSH_KEY_PATH: "/root/.ssh/id",
  PEM_KEY: pem,
};
const redaction = createRedaction(environment);

describe("a text", () => {
  it.each([
    ["as it is", key],
    ["escaped in JSON", JSON.stringify(key).slice(1, -1)],
    ["escaped twice in JSON", JSON.stringify(JSON.stringify(key)).slice(3, -3)],
    ["in a URL", encodeURIComponent(key)],
    ["in a URL, in small letters", encodeURIComponent(key).replace(/%../g, (code) => code.toLowerCase())],
    ["in base64", Buffer.from(key).toString("base64")],
    ["in base64 for URLs", Buffer.from(key).toString("base64url")],
  ])("loses a secret %s", (_how, form) => {
    expect(redaction.text(`before ${form} after`)).toBe("before [redacted APP_KEY] after");
  });

  it.each(["", "u", "us", "user:"])("loses a secret in base64 behind %j", (before) => {
    const text = Buffer.from(`${before}${key} and more`).toString("base64");
    expect(redaction.text(text)).toMatch(/^.{0,8}\[redacted APP_KEY\].*$/);
    const decoded = Buffer.from(redaction.text(text).replace("[redacted APP_KEY]", ""), "base64").toString(
      "latin1",
    );
    expect(decoded).not.toContain("horse");
  });

  it("loses a long secret in lines of base64", () => {
    const lines =
      Buffer.from(pem)
        .toString("base64")
        .match(/.{1,76}/g) ?? [];
    expect(redaction.text(lines.join("\n"))).toMatch(
      /^(?:\[redacted PEM_KEY\]\n)+.{0,11}(?:\[redacted PEM_KEY\])?$/,
    );
  });

  it("loses the longest of several that begin alike", () => {
    expect(redaction.text("Zq8-horse-battery-and-more|Zq8-horse-battery-and")).toBe(
      "[redacted LONG_KEY]|[redacted SHORT_KEY]-and",
    );
  });

  it("loses tokens of well-known shapes, whoever made them", () => {
    expect(createRedaction({}).text(`a ${token} b`)).toBe("a [redacted token] b");
  });

  it("loses a whole secret of which a part looks like a token", () => {
    const mixed = "aB3aB3aB3aB3aB3aB3aB3aB3!and-the-other-half";
    const found = createRedaction({ A_TOKEN: mixed }).text(`Authorization: Bearer ${mixed}`);
    expect(found).toBe("Authorization: Bearer [redacted A_TOKEN]");
  });

  it("loses a key line by line", () => {
    expect(
      redaction.text(
        pem
          .split("\n")
          .map((line) => `  | ${line}`)
          .join("\n"),
      ),
    ).not.toContain(pemLine);
    expect(redaction.text(`+${pemLine}\n`)).toBe("+[redacted PEM_KEY]\n");
  });

  it("keeps what is short, a path, a number, an id or a hash", () => {
    const text =
      '{"passes":true,"count":1,"path":"/root/.ssh/id","sha":"0123456789abcdef0123456789abcdef01234567"}';
    expect(redaction.text(text)).toBe(text);
  });

  it("that was cut loses the beginning of a secret before the cut", () => {
    expect(redaction.text(`x ${key.slice(0, 12)}… y ${key.slice(0, 5)}… z`)).toBe(
      `x [redacted]… y ${key.slice(0, 5)}… z`,
    );
  });

  it("that was redacted is not changed again", () => {
    const once = redaction.text(`${key} ${token} ${pem}`);
    expect(redaction.text(once)).toBe(once);
  });
});

describe("data", () => {
  it("stays JSON: texts and names are redacted before they are encoded", () => {
    const value = { list: [key, 1, true, null], [key]: { deep: `x ${key}` }, passes: true };
    expect(redaction.json(value)).toEqual({
      list: ["[redacted APP_KEY]", 1, true, null],
      "[redacted APP_KEY]": { deep: "x [redacted APP_KEY]" },
      passes: true,
    });
  });

  it("without a secret is the same object", () => {
    const value = { a: [{ b: "c" }], d: 1 };
    expect(redaction.json(value)).toBe(value);
  });

  it("keeps the program's own words, whatever a variable holds", () => {
    const odd = createRedaction({ A_KEY: "session-started" });
    const event = { kind: "session-started", told: ["session-started"] };
    expect(odd.json(event)).toEqual({ kind: "session-started", told: ["[redacted A_KEY]"] });
  });

  it("that is deeper than any JSON we read has an end", () => {
    let deep: unknown = key;
    for (let depth = 0; depth < 5_000; depth += 1) deep = [deep];
    expect(JSON.stringify(redaction.json(deep))).not.toContain("horse");
  });

  it.each([
    ["with a secret in it", JSON.stringify({ summary: key }), { summary: "[redacted APP_KEY]" }],
    ["with a name twice", `{"a":${JSON.stringify(token)},"a":"b"}`, { a: "b" }],
    ["with a secret in another notation", `{"a":"\\u0067${token.slice(1)}"}`, { a: "[redacted token]" }],
  ])("as bytes %s is written again", (_what, text, wanted) => {
    const redacted = redaction.jsonBytes(Buffer.from(text)).toString("utf8");
    expect(JSON.parse(redacted)).toEqual(wanted);
    expect(redacted).not.toContain(token);
  });

  it("as bytes is left as it came where there is nothing to take out, and redacted as text where it is no JSON", () => {
    const bytes = Buffer.from('{ "a" :1.0 }');
    expect(redaction.jsonBytes(bytes)).toBe(bytes);
    expect(redaction.jsonBytes(Buffer.from(`{ "a": ${token}`)).toString()).toBe('{ "a": [redacted token]');
    const broken = Buffer.from([0xff, 0xfe, 0x00]);
    expect(redaction.jsonBytes(broken)).toBe(broken);
  });
});

describe("names of the run", () => {
  it("stay, and are told", () => {
    const spared = createRedaction({ A_KEY: "my-plan-of-autumn", B_KEY: "another-secret-1" }, [
      "feature/my-plan-of-autumn",
    ]);
    expect(spared.text("my-plan-of-autumn another-secret-1")).toBe("my-plan-of-autumn [redacted B_KEY]");
    expect(spared.spared).toEqual(["A_KEY"]);
    expect(redaction.spared).toEqual([]);
  });
});

/** Secrets, beginnings and ends of them, tokens, and what stands between. */
const pieces = fc.constantFrom(
  key,
  token,
  pem,
  `${key}${key}`,
  "Zq8-horse-battery",
  "-and-more",
  "-and",
  "Zq8-horse",
  token.slice(0, 20),
  "ghp_",
  "sk-",
  "sk-ant-a1b2c3d4e5f6g7h8i9j0",
  "AKIAIOSFODNN7EXAMPLE",
  "Bearer ",
  "aB3aB3aB3aB3aB3aB3aB3aB3",
  "eyJhbGciOiJIUzI1NiJ9.",
  "eyJzdWIiOiIxMjM0NTY3ODkwIn0.",
  "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
  "-----BEGIN PRIVATE KEY-----\n",
  "-----END PRIVATE KEY-----",
  "-----BEGIN ",
  "-----",
  pemLine,
  "\n",
  "\\n",
  "\\",
  "%3",
  "D",
  "-",
  " ",
  "\u001b[3",
  "1m",
  "x",
  "é",
  "plain words",
);

function inPieces(whole: Buffer, cuts: readonly number[], at: Redaction): Buffer {
  const stream = at.stream();
  const places = [...cuts.map((cut) => cut % (whole.length + 1)), whole.length].sort((a, b) => a - b);
  let from = 0;
  const out: Buffer[] = [];
  for (const place of places) {
    out.push(stream.take(whole.subarray(from, place)));
    from = place;
  }
  return Buffer.concat([...out, stream.end()]);
}

describe("a stream", () => {
  it("gives the same however it is cut", () => {
    fc.assert(
      fc.property(
        fc.array(pieces, { maxLength: 30 }),
        fc.array(fc.nat(), { maxLength: 40 }),
        (parts, cuts) => {
          const whole = Buffer.from(parts.join(""));
          expect(inPieces(whole, cuts, redaction).toString()).toBe(redaction.bytes(whole).toString());
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it("gives the same byte by byte", () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 20 }), (parts) => {
        const whole = Buffer.from(parts.join(""));
        const cuts = Array.from({ length: whole.length }, (_none, index) => index);
        expect(inPieces(whole, cuts, redaction).toString()).toBe(redaction.bytes(whole).toString());
      }),
      { numRuns: 300 },
    );
  });

  it("gives the same of long runs that could be a token for as long as they last", () => {
    for (const text of [
      `eyJ${"a".repeat(400)}.eyJ${"b".repeat(9_000)}.${"c".repeat(3_000)}`,
      `-----BEGIN PRIVATE KEY-----\n${"abc1\n".repeat(4_000)}-----END PRIVATE KEY-----`,
      `sk-${"a1".repeat(3_000)}`,
      pem.repeat(20),
    ]) {
      const whole = Buffer.from(text);
      const cuts = Array.from({ length: whole.length / 7 }, (_none, index) => index * 7);
      expect(inPieces(whole, cuts, redaction).toString()).toBe(redaction.bytes(whole).toString());
    }
  });

  it("lets any other bytes through as they are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(), { maxLength: 9 }), (bytes, cuts) => {
        expect(inPieces(Buffer.from(bytes), cuts, redaction).equals(Buffer.from(bytes))).toBe(true);
      }),
    );
  });

  it("holds nothing back at the end of an ordinary line", () => {
    const stream = redaction.stream();
    const line = Buffer.from("Watching for file changes...\n");
    expect(stream.take(line)).toBe(line);
    expect(stream.take(Buffer.from(`key ${key.slice(0, 9)}`)).toString()).toBe("key ");
    expect(stream.take(Buffer.from(" no\n")).toString()).toBe(`${key.slice(0, 9)} no\n`);
  });

  it("of a megabyte in small pieces is taken in time, whatever is in it", () => {
    for (const piece of [
      "plain words of a log\n",
      "sk-",
      "-eyJ",
      ".eyJ",
      "-----BEGIN PRIVATE KEY-----a!",
      "Zq8",
    ]) {
      const whole = Buffer.from(piece.repeat(1_000_000 / piece.length));
      const cuts = Array.from({ length: 1_000 }, (_none, index) => index * 1_000);
      const { ms } = timed(() => inPieces(whole, cuts, redaction));
      expect(ms, piece).toBeLessThan(5_000);
    }
  });
});
