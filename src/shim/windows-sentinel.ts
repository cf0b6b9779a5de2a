/** What the sentinel is to start: node, the keeper's file, and what that is told. */
export interface WindowsSentinelWords {
  /** The pipe by which it learns that the spawner is gone. */
  readonly pipe: string;
  readonly node: string;
  readonly keeper: string;
  readonly told: readonly string[];
}

/**
 * The sentinel of Windows, as arguments of cmd.exe: it blocks in `set /p` on a pipe that the spawner serves. A spawner
 * that ends normally writes a line: `none`, or the pids of shims that keep running. An end without a line means that
 * the spawner was killed; a pipe that is already gone means that this happened before the sentinel opened it. A second
 * later the sentinel starts the keeper, and starts it again if it dies. The keeper checks itself whether there is work,
 * or another process that does it.
 *
 * No mark is left for cmd, which does not know its own pid: the keeper marks for itself.
 */
export function windowsSentinel({ pipe, node, keeper, told }: WindowsSentinelWords): string {
  const words = [node, keeper, ...told].map((word) => `"${word}"`).join(' ');
  const attempt = [
    `(if not exist "${keeper}" exit 0)`,
    `(${words} >nul 2>nul && exit 0)`,
    'ping -n 4 127.0.0.1 >nul',
  ];
  // Brackets, because a command after `if` and `do` continues to the end of the line.
  const steps = [
    // The title is for people, and for who looks at command lines.
    'title outlive sentinel',
    `(set /p told=<${pipe}) 2>nul`,
    '(if "!told!"=="none" exit 0)',
    'ping -n 2 127.0.0.1 >nul',
    `for /l %i in (1,1,8) do (${attempt.join(' & ')})`,
  ];
  return `/d /e:on /v:on /s /c "${steps.join(' & ')}"`;
}
