// Changes the receipt and its golden file, both as the task asks.
import { done, edit } from "../agent.mjs";

edit("src/basket.mjs", 'padLine("total"', 'padLine("TOTAL"');
edit("test/golden/receipt.txt", "total ", "TOTAL ");
done("the receipt says TOTAL");
