// In which language a file is written, by its name, as far as the rules of evidence care.

export type Language =
  | "js"
  | "python"
  | "go"
  | "rust"
  | "jvm"
  | "csharp"
  | "php"
  | "ruby"
  | "shell"
  | "c"
  | "other"
  | "document"
  | "data";

export function languageOf(path: string): Language {
  const dot = path.lastIndexOf(".");
  const ending = dot < path.lastIndexOf("/") ? "" : path.slice(dot + 1).toLowerCase();
  return languages.get(ending) ?? "data";
}

export function isCode(path: string): boolean {
  const language = languageOf(path);
  return language !== "document" && language !== "data";
}

const endings: Readonly<Record<Exclude<Language, "data">, string>> = {
  js: "js cjs mjs jsx ts cts mts tsx vue svelte astro dart",
  python: "py pyi",
  go: "go",
  rust: "rs",
  jvm: "java kt kts groovy scala",
  csharp: "cs fs vb",
  php: "php",
  ruby: "rb cr ex exs",
  shell: "sh bash zsh bats",
  c: "c h cc cpp cxx hpp m mm swift",
  other: "pl pm t raku lua clj cljs cljc hs erl jl r zig nim ml",
  document: "md mdx markdown rst adoc txt",
};

const languages = new Map(
  Object.entries(endings).flatMap(
    ([language, names]) => names.split(" ").map((name) => [name, language as Language] as const), // the keys of `endings` are languages
  ),
);
