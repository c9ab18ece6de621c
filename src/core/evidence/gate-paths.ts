// Files that say how checks run: runners, compilers, linters, CI, by the names that tools look for.

/** A file whose whole content is such a definition. */
export function isGateConfiguration(path: string): boolean {
  return names.test(path.slice(path.lastIndexOf("/") + 1)) || folders.test(path);
}

/** A file of which only some sections or lines are about checks; `sectionsOf` knows which. */
export function isPartlyGateConfiguration(path: string): boolean {
  return partial.test(path.slice(path.lastIndexOf("/") + 1));
}

/** A new file that stands before a part of the checks that is installed, because it has its name. */
export function isStandIn(path: string): boolean {
  return standIn.test(path);
}

export function isMakefile(path: string): boolean {
  return /(?:^|\/)(?:makefile|gnumakefile|[^/]+\.mk|justfile|\.justfile)$/i.test(path);
}

export function isManifest(path: string): boolean {
  return /(?:^|\/)(?:package|composer|deno)\.jsonc?$/.test(path);
}

const standIn =
  /^(?:sitecustomize|usercustomize|pytest|_pytest|pluggy|iniconfig|unittest|doctest)(?:\.py$|\/)|(?:^|\/)node_modules\/(?:\.bin|@?(?:vitest|jest|mocha|ava|tap|eslint|typescript|biomejs|c8|nyc|tsx|prettier)[\w-]*)\//;

const folders =
  /(?:^|\/)(?:\.github\/(?:workflows|actions)|\.circleci|\.buildkite|\.husky|\.config\/nextest\.toml|\.mvn\/(?:maven|jvm)\.config|\.cargo\/config)/i;

const names = new RegExp(
  `^(?:${[
    "(?:vitest|jest|ava|playwright|karma|cypress|wdio|web-test-runner|nightwatch|stryker)\\.(?:conf|config|workspace|setup)[^/]*",
    "(?:vitest|jest|test)[.-](?:setup|global-setup)\\.[cm]?[jt]sx?|setup-?tests?\\.[cm]?[jt]sx?",
    "\\.(?:mocharc|taprc|nycrc|c8rc|jasmine)[^/]*|jasmine\\.json|karma\\.conf\\.[^/]+|cypress\\.json",
    "(?:ts|js)config[^/]*\\.json",
    "biome\\.jsonc?|\\.?oxlintrc\\.json|\\.?eslint\\.config\\.[^/]+|\\.eslintrc[^/]*|\\.eslintignore|tslint\\.json|\\.jshintrc|xo\\.config\\.[^/]+",
    "\\.prettierrc[^/]*|prettier\\.config\\.[^/]+|\\.prettierignore|\\.stylelintrc[^/]*|stylelint\\.config\\.[^/]+|dprint\\.jsonc?",
    "knip\\.(?:jsonc?|[cm]?[jt]s)|\\.?commitlint[^/]*|\\.markdownlint[^/]*|\\.yamllint[^/]*|\\.shellcheckrc",
    "\\.lintstagedrc[^/]*|lint-staged\\.config\\.[^/]+|lefthook[^/]*\\.ya?ml|\\.pre-commit-config\\.yaml",
    "turbo\\.jsonc?|nx\\.json|lerna\\.json|wireit\\.json|\\.npmrc|\\.yarnrc(?:\\.yml)?|\\.pnpmfile\\.c?js|bunfig\\.toml",
    "pytest\\.ini|\\.?pytest\\.toml|conftest\\.py|tox\\.(?:ini|toml)|noxfile\\.py|\\.coveragerc|\\.?ruff\\.toml|\\.?mypy\\.ini|\\.flake8|\\.?pylintrc|pyrightconfig\\.json|\\.bandit",
    "\\.?clippy\\.toml|\\.?rustfmt\\.toml|deny\\.toml|\\.?nextest\\.toml|\\.golangci\\.(?:ya?ml|toml|json)|\\.clang-tidy|\\.swiftlint\\.yml",
    "\\.rspec|\\.rubocop[^/]*\\.yml|Rakefile|phpunit[^/]*\\.xml(?:\\.dist)?|phpstan[^/]*\\.neon(?:\\.dist)?|psalm\\.xml|\\.php-cs-fixer[^/]*|detekt[^/]*\\.yml|checkstyle[^/]*\\.xml|[^/]+\\.runsettings|Directory\\.Build\\.(?:props|targets)|testng\\.xml|junit-platform\\.properties|\\.proverc|\\.busted|\\.luacheckrc|\\.credo\\.exs|dart_test\\.yaml|analysis_options\\.yaml|CTestCustom\\.cmake",
    "\\.gitlab-ci\\.ya?ml|Jenkinsfile|azure-pipelines[^/]*\\.ya?ml|\\.travis\\.yml|appveyor\\.yml|bitbucket-pipelines\\.yml|\\.drone\\.yml|codecov\\.ya?ml|\\.codecov\\.ya?ml|sonar-project\\.properties|Taskfile\\.ya?ml|taskfile\\.ya?ml",
    "execute-prd\\.config\\.json",
  ].join("|")})$`,
);

const partial =
  /^(?:pyproject\.toml|setup\.cfg|Cargo\.toml|pom\.xml|build\.gradle(?:\.kts)?|gradle\.properties|CMakeLists\.txt|[^/]+\.csproj|build\.sbt|vite\.config\.[^/]+|mix\.exs|Pipfile|angular\.json|\.gitattributes)$/;
