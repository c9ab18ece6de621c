// Renames the tests of vouchers, as the task asks.
import { done, edit } from "../agent.mjs";

edit("test/voucher.test.mjs", "a voucher takes its part away", "applyVoucher takes the voucher's part away");
edit("test/voucher.test.mjs", "a voucher takes no more than all", "applyVoucher refuses more than all");
done("the tests of vouchers begin with the name of the function");
