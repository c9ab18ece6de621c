// Deletes a feature with its tests, as the task asks.
import { rmSync } from "node:fs";
import { done, edit } from "../agent.mjs";

rmSync("src/voucher.mjs");
rmSync("test/voucher.test.mjs");
edit("README.md", "prices, a basket, vouchers, and", "prices, a basket, and");
done("vouchers are gone, with their tests");
