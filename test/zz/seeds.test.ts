import { it } from "vitest";
import { playRandomRun } from "/work/main/test/simulation/random-run.ts";
it("x", async () => {
  const from = Number(process.env["FROM"] ?? 1), to = Number(process.env["TO"] ?? 300);
  const fails = new Map<string, string[]>();
  let sessions = 0, events = 0, done = 0, completed = 0;
  const t = Date.now();
  for (const c of [1, 3]) for (let seed = from; seed <= to; seed++) {
    try { const r = await playRandomRun(seed, c); sessions += r.sessions; events += r.world.journal.length; done++; if (r.state.phase.kind==="completed") completed++; }
    catch (e) { const m = (e as Error).message.replace(/t\d+/g, "T").replace(/\d{2,}/g,"N"); fails.set(m, [...(fails.get(m) ?? []), `${seed}/${c}`]); }
  }
  console.log({ done, completed, sessions, events, ms: Date.now() - t });
  for (const [m, s] of fails) console.log(s.length, m, s.slice(0, 6).join(" "));
}, 600000);
