// Assertions that cannot fail, and those that can although they look like it.
import { expect, test } from "vitest";
import { languageOf } from "../../../src/core/evidence/language.ts";
import { readSource } from "../../../src/core/evidence/source.ts";
import { findTrivialAssertions } from "../../../src/core/evidence/trivial-assertions.ts";

function count(path: string, line: string): number {
  return findTrivialAssertions(readSource(`${line}\n`, languageOf(path))).length;
}

test.each([
  ["a.ts", "expect(true).toBe(true);"],
  ["a.ts", "expect(true).toBeTruthy();"],
  ["a.ts", 'expect("x").toBeDefined();'],
  ["a.ts", "expect(null).toBeNull();"],
  ["a.ts", "expect(1).toEqual(1);"],
  ["a.ts", "expect( f(a, b) ).toEqual(f(a,b));"],
  ["a.ts", "expect(a).to.equal(a);"],
  ["a.ts", "expect(true).to.be.true;"],
  ["a.ts", "await expect(f()).resolves.toEqual(f());"],
  ["a.ts", "expect(ok || true).toBe(true);"],
  ["a.ts", "assert(true);"],
  ["a.ts", "assert.ok(1);"],
  ["a.ts", 'assert("it works");'],
  ["a.ts", "assert.equal(x, x);"],
  ["a.ts", "t.is(x, x);"],
  ["a.ts", "strictEqual([1, 2], [1,2]);"],
  ["a.py", "assert True"],
  ["a.py", 'assert 1, "message"'],
  ["a.py", "assert x == x"],
  ["a.py", "assert x is x"],
  ["a.py", 'assert (x == 1, "a message")'],
  ["a.py", "assert x == 1 or True"],
  ["a.py", "self.assertTrue(True)"],
  ["a.py", "self.assertEqual(x, x)"],
  ["a_test.go", "assert.Equal(t, x, x)"],
  ["a_test.go", "assert.True(t, true)"],
  ["a.rs", "assert!(true);"],
  ["a.rs", "assert_eq!(x, x);"],
  ["A.java", "assertEquals(x, x);"],
  ["A.cs", "Assert.True(true);"],
  ["a.php", "$this->assertTrue(true);"],
  ["a_spec.rb", "expect(true).to eq(true)"],
])("in %s this cannot fail: %s", (path, line) => {
  expect(count(path, line)).toBe(1);
});

test.each([
  ["a.ts", "expect(true).toBe(false);"],
  ["a.ts", "expect(false).toBe(true);"],
  ["a.ts", "expect(a).toBe(true);"],
  ["a.ts", "expect(a).not.toBe(a);"],
  ["a.ts", "expect(false).toBeTruthy();"],
  ["a.ts", "expect(true).toBeNull();"],
  ["a.ts", "expect(a).toBeDefined();"],
  ["a.ts", "expect(true)"],
  ["a.ts", "expect()"],
  ["a.ts", "expect.assertions(1);"],
  ["a.ts", "assert(false);"],
  ["a.ts", "assert();"],
  ["a.ts", "assert.notEqual(x, x);"],
  ["a.ts", "assert.equal(x, y);"],
  ["a.ts", "assert.fail('x');"],
  ["a.ts", `expect(${"a".repeat(3_000)}).toBe(true);`],
  ["a.ts", "// expect(true).toBe(true);"],
  ["a.py", "assert x"],
  ["a.py", "assert x == y"],
  ["a.py", "assert"],
  ["a_test.go", "assert.Equal(t, x, y)"],
  ["a.md", "nothing"],
])("in %s this can fail, or is none: %s", (path, line) => {
  expect(count(path, line)).toBe(0);
});
