// The command line: every command with its options (contract 8), each handed to one function. Reads and decides
// nothing itself.

import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import type { NewRunOptions } from "../../application/new-run-options.ts";
import { problem, refuse } from "../../application/refusal.ts";
import { toolVersion } from "../../application/version.ts";
import { type Output, openOutput, printRefusal } from "./output.ts";

type Options = Readonly<Record<string, unknown>>;

/** Runs one command and returns its exit code (contract 8). */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const output = openOutput({ isJson: argv.includes("--json") });
  let exitCode = 0;
  const program = toProgram(argv, output, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return exitCode;
  } catch (error) {
    if (isFolderGone(error)) return printRefusal(output, refuse([problem(folderGone)]));
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    const usage = problem({ expected: "a valid command line", hint: error.message });
    if (output.isJson) output.data({ ok: false, errors: [usage] });
    return 2;
  }
}

const folderGone = {
  path: "--cwd",
  expected: "a folder that is there",
  hint: "the one in which the command was started is gone: go to another",
};

function isFolderGone(error: unknown): boolean {
  return error instanceof Error && "syscall" in error && error.syscall === "uv_cwd";
}

type Finish = (exitCode: number) => void;

interface Invocation {
  readonly argv: readonly string[];
  readonly output: Output;
  readonly finish: Finish;
}

function toProgram(argv: readonly string[], output: Output, finish: Finish): Command {
  const program = new Command("execute-prd")
    .description(
      "Carries out a PRD with coding agents: every task gated, reviewed, committed, with evidence.",
    )
    .version(toolVersion)
    .exitOverride()
    .showHelpAfterError("(see --help)")
    .configureOutput({ writeErr: (text) => output.trouble(text.trimEnd()) });
  const at: Invocation = { argv, output, finish };
  addRunCommands(program, at);
  addLookCommands(program, at);
  addRecordCommands(program, at);
  addSteerCommands(program, at);
  return program;
}

/** A command with the options that all have. */
function command(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option("--json", "print JSON, and nothing else, on stdout")
    .option("--cwd <dir>", "work as if started in this folder")
    .exitOverride();
}

function withPolicyFlags(to: Command): Command {
  return to
    .option("--agent <name>", "the configured agent that develops")
    .option("--concurrency <n>", "tasks at the same time", toCount)
    .option("--max-attempts <n>", "attempts for a task", toCount)
    .option("--budget-usd <x>", "stop before this cost", toAmount)
    .option("--yes", "do not ask: accept recon's verdicts, the pre-mortem and human-verify checkpoints")
    .option("--only <ids>", "work on these tasks alone, separated by commas", toIds)
    .option("--detach", "go on in the background");
}

function withNewRunFlags(to: Command): Command {
  return to
    .option("--fresh", "archive the earlier run, which must have ended, and start another")
    .option("--redo", "take every task as not done, whatever the plan says")
    .option("--base <ref>", "commit or branch to start from")
    .option("--branch <name>", "branch to work on");
}

function toNewRunOptions({ fresh, redo, base, branch }: Options): NewRunOptions {
  return {
    fresh: fresh === true,
    redo: redo === true,
    ...(typeof base === "string" && { base }),
    ...(typeof branch === "string" && { branch }),
  };
}

function addRunCommands(program: Command, { argv, output, finish }: Invocation): void {
  withNewRunFlags(
    withPolicyFlags(
      command(program, "run", "start a run of a plan, or continue the one there is").argument(
        "<plan>",
        "slug of dev/work/plans, or path of a prd.json",
      ),
    ),
  ).action(async (plan: string, options: Options) => {
    const commands = await import("./run-commands.ts");
    if (options["detach"] === true) return finish(await commands.detach(output, argv));
    finish(
      await commands.runAndShow(output, {
        plan,
        flags: toFlags(options),
        ...toPlace(options),
        ...toNewRunOptions(options),
      }),
    );
  });
  withNewRunFlags(
    withPolicyFlags(
      command(program, "resume", "continue a paused, blocked, failed or killed run").argument("<slug>"),
    ),
  )
    .option("--attempts <n>", "grant every task more attempts", toCount)
    .option("--accept-changes", "take a plan that was edited since the run began")
    .action(async (slug: string, options: Options) => {
      const commands = await import("./run-commands.ts");
      if (options["detach"] === true) return finish(await commands.detach(output, argv));
      const { attempts } = options;
      const granted = {
        ...(typeof attempts === "number" && { attempts }),
        acceptChanges: options["acceptChanges"] === true,
      };
      finish(
        await commands.resumeAndShow(output, {
          slug,
          flags: toFlags(options),
          ...toPlace(options),
          ...toNewRunOptions(options),
          ...granted,
        }),
      );
    });
  command(program, "demo", "a throw-away repository and scripted agents: the whole flow in under a minute")
    .option("--keep <dir>", "make the repository in this empty folder")
    .action(async (options: Options) => {
      const { showDemo } = await import("./demo-command.ts");
      finish(await showDemo(output, typeof options["keep"] === "string" ? options["keep"] : null));
    });
}

function addLookCommands(program: Command, { output, finish }: Invocation): void {
  const look = () => import("./look-commands.ts");
  command(program, "init", "write the configuration, role files, the /build command and ignore lines")
    .option("--force", "overwrite files that are there")
    .action(async (options: Options) =>
      finish(
        await (await look()).initAndShow(output, { ...toPlace(options), force: options["force"] === true }),
      ),
    );
  command(program, "validate", "check a PRD")
    .argument("<plan>")
    .action(async (plan: string, options: Options) =>
      finish(await (await look()).showValidation(output, { plan, ...toPlace(options) })),
    );
  command(program, "plan", "dry run: order, waves, gates, estimate; changes nothing")
    .argument("<plan>")
    .action(async (plan: string, options: Options) =>
      finish(await (await look()).showPlan(output, { plan, ...toPlace(options) })),
    );
  command(program, "status", "one run, or all")
    .argument("[slug]")
    .option("--watch", "again every second")
    .action(async (slug: string | undefined, options: Options) =>
      finish(
        await (await import("./status-command.ts")).showStatus(output, {
          slug,
          watch: options["watch"] === true,
          ...toPlace(options),
        }),
      ),
    );
  command(program, "log", "the journal in words")
    .argument("<slug>")
    .option("--follow", "wait for more until the run stops")
    .action(async (slug: string, options: Options) =>
      finish(
        await (await look()).showLog(output, {
          slug,
          follow: options["follow"] === true,
          ...toPlace(options),
        }),
      ),
    );
  command(program, "doctor", "is everything in place for a run here?")
    .option("--agents", "look at the agents' programs, their versions and logins instead")
    .option("--live", "with --agents: also ask each agent for one line")
    .action(async (options: Options) => {
      const at = { agents: options["agents"] === true, live: options["live"] === true, ...toPlace(options) };
      finish(await (await look()).showDiagnosis(output, at));
    });
}

/** What a run has left behind: its report, its evidence, its files and trees. */
function addRecordCommands(program: Command, { output, finish }: Invocation): void {
  const look = () => import("./look-commands.ts");
  command(program, "report", "the report of a run")
    .argument("<slug>")
    .action(async (slug: string, options: Options) =>
      finish(await (await look()).showReport(output, { slug, ...toPlace(options) })),
    );
  command(program, "verify", "do the receipts of a run still hold?")
    .argument("<slug>")
    .argument("[task]", "only this task")
    .option("--rerun", "run the gates again on each commit, in a fresh tree")
    .action(async (slug: string, task: string | undefined, options: Options) =>
      finish(
        await (await look()).showVerification(output, {
          slug,
          rerun: options["rerun"] === true,
          ...(task !== undefined && { task }),
          ...toPlace(options),
        }),
      ),
    );
  command(program, "rebuild", "make the derived files of a run again from its journal")
    .argument("<slug>")
    .action(async (slug: string, options: Options) =>
      finish(await (await look()).rebuildAndShow(output, { slug, ...toPlace(options) })),
    );
  command(program, "clean", "remove a run's working trees and refs whose work is kept elsewhere")
    .argument("<slug>")
    .option("--force", "also what is in no branch; it goes into a bundle in the run folder first")
    .action(async (slug: string, options: Options) =>
      finish(
        await (await look()).cleanAndShow(output, {
          slug,
          force: options["force"] === true,
          ...toPlace(options),
        }),
      ),
    );
}

function addSteerCommands(program: Command, { output, finish }: Invocation): void {
  const steer = async (
    slug: string,
    wish: Parameters<typeof import("./steer-commands.ts").steerAndShow>[1]["wish"],
    options: Options,
  ) => {
    const { steerAndShow } = await import("./steer-commands.ts");
    finish(await steerAndShow(output, { slug, wish, ...toPlace(options) }));
  };
  command(program, "pause", "stop a live run at the end of the running stage")
    .argument("<slug>")
    .option("--now", "interrupt agents and gates; what they did is kept")
    .action((slug: string, options: Options) =>
      steer(slug, { kind: "pause", now: options["now"] === true }, options),
    );
  command(program, "answer", "answer a run's question: an option's id, or free text")
    .argument("<slug>")
    .argument("<words...>", "[question] text; the question may be left out when one is open")
    .action((slug: string, words: string[], options: Options) => {
      const [first = "", ...rest] = words;
      const wish =
        rest.length === 0
          ? ({ kind: "answer", question: null, text: first } as const)
          : ({ kind: "answer", question: first, text: rest.join(" ") } as const);
      return steer(slug, wish, options);
    });
  command(program, "retry", "grant a held or skipped task one more attempt")
    .argument("<slug>")
    .argument("<task>")
    .option("--note <text>", "leads the next prompt", "")
    .action((slug: string, taskId: string, options: Options) =>
      steer(slug, { kind: "retry", taskId, note: String(options["note"] ?? "") }, options),
    );
  command(program, "skip", "leave a task out; what depends on it goes on")
    .argument("<slug>")
    .argument("<task>")
    .addOption(new Option("--reason <text>", "why").makeOptionMandatory())
    .action((slug: string, taskId: string, options: Options) =>
      steer(slug, { kind: "skip", taskId, why: String(options["reason"]) }, options),
    );
  command(program, "cancel", "end a run as failed; nothing is removed")
    .argument("<slug>")
    .action((slug: string, options: Options) => steer(slug, { kind: "cancel" }, options));
}

function toPlace(options: Options): { cwd?: string } {
  return typeof options["cwd"] === "string" ? { cwd: options["cwd"] } : {};
}

function toFlags(options: Options): Readonly<Record<string, never>> {
  const names = ["agent", "concurrency", "maxAttempts", "budgetUsd", "yes", "only"];
  const given = names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]);
  return Object.fromEntries(given) as Readonly<Record<string, never>>; // each was checked by its option's parser
}

function toCount(text: string): number {
  const count = Number(text);
  if (!/^\d{1,6}$/.test(text) || count < 1)
    throw new InvalidArgumentError("a whole number from 1 on is wanted");
  return count;
}

function toAmount(text: string): number {
  const amount = Number(text);
  if (!/^\d{1,9}(\.\d{1,6})?$/.test(text) || amount <= 0)
    throw new InvalidArgumentError("an amount over 0 is wanted");
  return amount;
}

function toIds(text: string): readonly string[] {
  const ids = text
    .split(",")
    .map((id) => id.trim())
    .filter((id) => id !== "");
  if (ids.length === 0) throw new InvalidArgumentError("ids of tasks, separated by commas, are wanted");
  return ids;
}
