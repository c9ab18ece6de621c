// Runs before each test file: nothing of the shell that started the tests may reach git or the product.

const FOREIGN = /^(?:GIT_|EXECUTE_PRD_)|^TEST_SUMMARY_FILE$/;

for (const name of Object.keys(process.env)) {
  if (FOREIGN.test(name)) delete process.env[name];
}
