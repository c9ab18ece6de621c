// Commits the markers of a conflict.
import { done, edit, git, workWell } from "../agent.mjs";

workWell();
edit(
  "docs/prices.md",
  "Prices are",
  "<<<<<<< HEAD\nPrices are\n=======\nPrices were\n>>>>>>> short-slugs\nPrices are",
);
git("commit", "-qam", "merge");
done();
