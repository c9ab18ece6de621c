// A profile as arguments of bubblewrap. Pure: later mounts cover earlier ones, so the order is the meaning.

export interface Profile {
  readonly network: boolean;
  /** Whether the caller is root, who keeps capabilities that undo a sandbox unless they are dropped. */
  readonly isRoot: boolean;
  readonly cwd: string;
  /** Folders in whose place there is an empty one of the sandbox's own, gone with it. */
  readonly fresh: readonly string[];
  /** Read-only, seen again in fresh folders. */
  readonly readable: readonly string[];
  readonly hidden: readonly { readonly path: string; readonly isFolder: boolean }[];
  /** Read-only, seen again in hidden folders. */
  readonly revealed: readonly string[];
  readonly writable: readonly string[];
  /** Read-only again inside of what is writable. */
  readonly kept: readonly string[];
}

/** Where bubblewrap writes its status: after stdin, stdout and stderr. */
export const statusFile = 3;

export function toBubblewrapArgs(profile: Profile): readonly string[] {
  return [
    ...toNamespaces(profile),
    ...(profile.isRoot ? capabilities : []),
    ...["--json-status-fd", String(statusFile)],
    ...wholeSystem,
    ...profile.fresh.flatMap((path) => ["--tmpfs", path]),
    ...byDepth(profile.readable).flatMap(readOnly),
    ...profile.hidden.flatMap(({ path, isFolder }) =>
      isFolder ? ["--tmpfs", path] : ["--dev-bind", "/dev/null", path],
    ),
    ...byDepth(profile.revealed).flatMap(readOnly),
    ...byDepth(profile.writable).flatMap((path) => ["--bind", path, path]),
    ...byDepth(profile.kept).flatMap(readOnly),
    ...profile.hidden.flatMap(({ path, isFolder }) => (isFolder ? ["--remount-ro", path] : [])),
    ...["--chdir", profile.cwd],
  ];
}

/** Whether the namespaces and mounts that every profile needs can be made at all. */
export function toProbeArgs(at: { readonly network: boolean }): readonly string[] {
  return [...toNamespaces(at), ...wholeSystem, "--tmpfs", "/tmp", "--", "true"];
}

function toNamespaces({ network }: { readonly network: boolean }): readonly string[] {
  const own = ["--unshare-pid", "--unshare-ipc", ...(network ? [] : ["--unshare-net"])];
  return [...own, "--die-with-parent", "--new-session"];
}

// Root may write settings of the kernel, whatever capabilities it has left.
const wholeSystem = [
  ...["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"],
  ...["/proc/sys", "/proc/sysrq-trigger"].flatMap((path) => ["--ro-bind-try", path, path]),
] as const;

// What package managers use when they run as root. Without the others nothing can be mounted or traced.
const capabilities = [
  "--cap-drop",
  "ALL",
  ...["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID"].flatMap((name) => [
    "--cap-add",
    `CAP_${name}`,
  ]),
];

function readOnly(path: string): readonly string[] {
  return ["--ro-bind", path, path];
}

/** A folder before what lies in it. */
function byDepth(paths: readonly string[]): readonly string[] {
  return paths.toSorted((a, b) => a.split("/").length - b.split("/").length || (a < b ? -1 : 1));
}
