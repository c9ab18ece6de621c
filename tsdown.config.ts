// Bundles the command and the library. Dependencies stay outside; dynamic imports stay separate files,
// so that a command loads only what it needs.
import { defineConfig } from "tsdown";

export default defineConfig({
  entry: { main: "src/main.ts", library: "src/library.ts" },
  format: "esm",
  platform: "node",
  target: "node20.19",
  fixedExtension: false,
  dts: { entry: "src/library.ts" },
  sourcemap: false,
  clean: true,
  loader: { ".md": "text", ".txt": "text" },
});
