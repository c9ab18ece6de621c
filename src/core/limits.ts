// Every bound in one place, the unit in the name (I11). Reaching one is an event or a clear refusal.

export const limits = {
  prdBytes: 8 * 1024 * 1024,
  reportBytes: 1024 * 1024,
  /** Objects and lists inside one another in any JSON that is read. */
  jsonDepth: 100,
  /** Problems of one input that are listed; what goes beyond is counted. */
  inputProblems: 1_000,
  roleFileBytes: 256 * 1024,
  /** Settings at the head of a role file. */
  frontMatterChars: 16_000,
  requestFileBytes: 256 * 1024,
  journalLineBytes: 64 * 1024 * 1024,
  /** Output of one agent or gate kept on disk; what goes beyond is counted and dropped. */
  outputBytes: 64 * 1024 * 1024,
  /** Tail of a gate's output that goes into prompts, events and screens. */
  outputTailChars: 4_000,
  /** Report of a gate's tests, in a file or in its output; a longer one is not read. */
  testReportBytes: 16 * 1024 * 1024,
  testReportLines: 500_000,
  /** Names of failing tests of one gate that are kept; a gate with more counts as not naming them. */
  failingTestsKept: 500,
  testNameChars: 300,
  /** Longest text of an agent (summary, reflection, problem, fix) that is kept. */
  agentTextChars: 4_000,
  /** Longest list of an agent (findings, risks, follow-ups, signals) that is kept. */
  agentListItems: 50,
  /** One prompt; longer ones are cut in the parts that grow (learned, findings), never in the task. */
  promptChars: 400_000,
  changesKept: 500,
  /** Files and names that the program looks for before a task. */
  lookedForFiles: 50,
  lookedForNames: 5,
  /** Names (of tests, findings) that one sentence lists. */
  namesInSentence: 20,
  /** Changed files of a candidate whose content is examined; with more it is held. */
  examinedFiles: 5_000,
  /** Files of the base through which a gate may come to a changed one. */
  examinedTools: 500,
  examinedToolBytes: 64 * 1024,
  /** One examined text; a longer one is told and not examined. */
  examinedFileBytes: 1024 * 1024,
  /** All examined texts of a candidate, before and after; with more it is held. */
  examinedBytes: 32 * 1024 * 1024,
  /** A file of this size is told. */
  largeFileBytes: 1024 * 1024,
  /** Findings of one candidate that are listed; what goes beyond is counted. */
  findingsKept: 100,
  findingChars: 400,
  /** A justification with fewer letters than this is none. */
  justificationLetters: 8,
  /** From so many new suppressions on they must be justified. */
  suppressionsToJustify: 3,
  /** A candidate that takes away so much of the base's content is held, */
  deletedSharePercent: 30,
  /** provided that it is so many bytes. */
  deletedShareFloorBytes: 50_000,
  /** Files that set-ups made in a check tree and that are watched while a developer is at work. */
  installedFilesWatched: 200_000,
  /** A file of settings in the home folder whose content is compared. */
  settingsBytes: 1024 * 1024,
  learnedKept: 20,
  precheckRounds: 2,
  followUpRounds: 2,
  /** A bad or missing report of a reviewer or of the lead is asked for this often in all. */
  reportTries: 2,
  infrastructureFailuresInARow: 5,
  /** Longest wait for a limit to end; where it lasts longer, the run pauses. */
  waitMs: 86_400_000,
  /** While a run waits it looks at the clock so often: a suspended machine stops its timers. */
  waitLookMs: 30_000,
  noChangeInARow: 2,
  noProgressInARow: 2,
  /** `budget.maxDispatches: 0` means this many a task plus a fixed number. */
  defaultDispatchesPerTask: 6,
  defaultDispatchesFixed: 20,
  /** Files of a tree up to which it is looked at without git, and its tree objects are made here. */
  plainLookFiles: 5_000,
  /** The most that is believed of one dispatch: sums of it stay exact enough, and are far over every budget. */
  tokensBelieved: 1_000_000_000_000,
  usdBelieved: 1_000_000_000,
  /** The last moment of the year 9999: a limit that is said to end later has no end that is known. */
  latestMomentMs: 253_402_300_799_999,
  /** A model's name, as the agent says it. */
  modelChars: 100,
  /** Kept for a dispatch beside others, as long as none of its stage and agent has ended. */
  unseenDispatchUsd: 2,
  /** From so much of a budget on, it is warned of. */
  budgetWarningPercent: 80,
  gitTimeoutMs: 120_000,
  setupTimeoutMs: 1_800_000,
  gateTimeoutMs: 1_200_000,
  agentTimeoutMs: 3_600_000,
  /** Without a sign of work, for agents whose protocol says what they do. */
  agentIdleMs: 600_000,
  /** One line of an agent program's protocol; a longer one is skipped. */
  agentLineBytes: 16 * 1024 * 1024,
  /** From the answer of an agent's program to SIGTERM, for those that do not end by themselves. */
  exitGraceMs: 5_000,
  /** Between two looks for the report of an agent that may hang after it. */
  reportLookMs: 500,
  /** How often an agent program may ask its service again before it is ended. */
  serviceRetriesInARow: 10,
  /** From SIGTERM to SIGKILL of a process group. */
  killGraceMs: 3_000,
  /** After an agent's main process ended: how long its output pipes may stay open. */
  drainGraceMs: 1_000,
  /** One run of `onError`, and how many wait for it. */
  onErrorTimeoutMs: 30_000,
  errorsQueued: 10,
  /** From the answer of an agent that is talked with to SIGTERM, for those that do not end by themselves. */
  doneGraceMs: 2_000,
  /** Files that an agent wants its client to write, which wait for one another. */
  acpWritesWaiting: 20,
  acpWriteMs: 10_000,
  /** For an agent that is told to cancel its turn, before SIGTERM. */
  cancelGraceMs: 300,
  /** One message of the agent client protocol. */
  acpMessageBytes: 16 * 1024 * 1024,
  /** What was written to an agent that does not read it. */
  acpUnreadBytes: 4 * 1024 * 1024,
  /** Time-outs of what runs beside the program are counted in pieces of this length. */
  awakeSliceMs: 1_000,
  /** A piece that ends so much too late was interrupted: the program was suspended. */
  suspendedAfterMs: 2_000,
  /** Node fires a timer that is set for longer than this at once. */
  longestTimerMs: 2 ** 31 - 1,
  /** Files of a working tree that are looked at for a sign of work. */
  idleLookFiles: 20_000,
  /** Answers of a model in one dispatch of our own agent loop, where the policy says nothing. */
  agentTurns: 200,
  /** Tokens of one request to a model, answer included. */
  contextTokens: 200_000,
  /** Tokens of one answer of a model; and after one was cut off. */
  outputTokens: 16_000,
  outputTokensMost: 32_000,
  /** Answers in a row that were cut off all the same. */
  cutOffInARow: 3,
  /** Times that the conversation of one dispatch is replaced by a summary. */
  summaries: 20,
  summaryTokens: 8_000,
  /** A stream of a model's service without a byte for so long counts as cut. */
  streamSilenceMs: 300_000,
  /** A wait that a service asks for and that its agent waits itself; a longer one is the engine's. */
  serviceWaitMs: 60_000,
  serviceWaitsInARow: 20,
  /** What of a service's own words about a failure is kept. */
  serviceWordsChars: 500,
  /** One answer of a model's service, with all that its stream says beside. */
  serviceAnswerBytes: 64 * 1024 * 1024,
  /** The same call with the same result: from when on it is told, and ends the dispatch. */
  sameCallsTold: 3,
  sameCallsEnd: 5,
  /** One result of a tool, as a model gets it. */
  toolResultChars: 30_000,
  /** All results of one answer's calls; what comes after is shortened. */
  turnResultChars: 150_000,
  toolFileBytes: 8 * 1024 * 1024,
  toolFileLines: 2_000,
  toolLineChars: 2_000,
  /** Tool calls of one answer that are carried out. */
  toolCallsPerTurn: 50,
  shellTimeoutMs: 120_000,
  shellTimeoutMostMs: 600_000,
  searchMs: 10_000,
  searchedFiles: 100_000,
  searchHits: 300,
  /** One request to a service through the metering proxy, and the settings at its head. */
  meteredRequestBytes: 64 * 1024 * 1024,
  meteredHeaderBytes: 64 * 1024,
  meteredConnections: 128,
  /** Kept for a request beside others, as long as none has told what it cost. */
  unseenRequestUsd: 0.5,
  /** Silence of a service or an agent after which the proxy gives them up. */
  meteredIdleMs: 600_000,
  /** One event, or one whole answer, that the proxy reads for its tokens; of a longer one they are unknown. */
  meteredEventBytes: 16 * 1024 * 1024,
  requestPollMs: 100,
  viewThrottleMs: 1_000,
  /** Files of the builder's checkout that are watched around a dispatch; of more, git's own view is taken. */
  filesWatched: 200_000,
  untrackedWatched: 10_000,
  /** Larger files count as changed when their size or times did. */
  hashedFileBytes: 16 * 1024 * 1024,
  /** Paths named in one sentence about a checkout; the rest is counted. */
  pathsNamed: 12,
  /** Changes told of one dispatch or gate that may be the builder's own. */
  doubtsKept: 30,
  /** Written and taken away to see whether a folder can be written when git failed. */
  storageProbeBytes: 64 * 1024,
  /** Nothing is begun with less; how much a run needs is known by nobody, and a disk that fills up pauses it. */
  minFreeDiskBytes: 1024 * 1024,
} as const;
