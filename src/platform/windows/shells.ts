import { lstatSync } from 'node:fs';
import { win32 } from 'node:path';
import { OutliveError } from '../../errors/error.ts';
import { expected, tolerate } from '../../errors/expected.ts';

const { basename, delimiter, dirname, isAbsolute, join } = win32;

/** Windows says UNKNOWN of what it cannot name. */
const unseen = expected('absent', 'refused', 'busy', 'EINVAL', 'UNKNOWN');

/** How a shell of Windows takes a command. */
export type ShellKind = 'cmd' | 'powershell' | 'posix';

/** The kind of a shell, by the name of its program. */
export function shellKind(path: string): ShellKind {
  const name = shellName(path);
  if (name === 'cmd') return 'cmd';
  return name === 'powershell' || name === 'pwsh' ? 'powershell' : 'posix';
}

/** The name of a shell's program as people know it: `bash`. */
export function shellName(path: string): string {
  return basename(path)
    .toLowerCase()
    .replace(/\.exe$/, '');
}

/**
 * The absolute path of a shell. Without a name: what $SHELL says, pwsh, powershell, the bash of Git, cmd; the first
 * that is there at this moment.
 * @throws OutliveError `SHELL_NOT_FOUND`, naming what was tried.
 */
export function findWindowsShell(
  name: string | undefined,
  environment = process.env,
  isThere: IsThere = isProgram,
): string {
  const wanted = name === undefined ? [...own(environment), 'pwsh', 'powershell', 'bash', 'cmd'] : [name];
  for (const shell of wanted) {
    const found = candidates(shell, environment, isThere).find((path) => isAbsolute(path) && isThere(path));
    if (found !== undefined) return withTools(found, isThere);
  }
  const tried = wanted.flatMap((shell) => candidates(shell, environment, isThere));
  throw new OutliveError(
    'SHELL_NOT_FOUND',
    `expected a shell that can be executed: the name of one in PATH or an absolute path; found none for ${wanted.map((shell) => JSON.stringify(shell)).join(', ')} (tried ${tried.slice(0, 12).join(', ') || 'nothing'}). Install it, or name another one in the option "shell".`,
    { details: { tried } },
  );
}

type IsThere = (path: string) => boolean;

/** What the user has said. A path of MSYS, as git-bash has it, is none of Windows: the name will do. */
function own({ SHELL }: NodeJS.ProcessEnv): string[] {
  if (!SHELL) return [];
  return [SHELL.startsWith('/') ? basename(SHELL) : SHELL];
}

function candidates(shell: string, environment: NodeJS.ProcessEnv, isThere: IsThere): string[] {
  // `/x` is a path of the current drive, and none that can be meant.
  if (isAbsolute(shell)) return shell.startsWith('/') ? [] : [shell];
  if (/[\\/]/.test(shell)) return [];
  const file = basename(shell).replace(/(\.exe)?$/i, '.exe');
  const system = join(environment.SystemRoot ?? 'C:\\Windows', 'System32');
  const inPath = (environment.PATH ?? '').split(delimiter).filter(isAbsolute);
  switch (file.toLowerCase()) {
    case 'cmd.exe':
      return [environment.ComSpec ?? '', join(system, file)].filter(isAbsolute);
    case 'powershell.exe':
      return [...inPath, join(system, 'WindowsPowerShell', 'v1.0')].map((folder) => join(folder, file));
    case 'pwsh.exe':
      return [...inPath, join(environment.ProgramFiles ?? 'C:\\Program Files', 'PowerShell', '7')].map(
        (folder) => join(folder, file),
      );
    case 'bash.exe':
    case 'sh.exe':
      return [
        ...gitFolders(inPath, environment, isThere),
        ...inPath.filter((folder) => !isIn(system, folder)),
      ].map((folder) => join(folder, file));
    default:
      return inPath.map((folder) => join(folder, file));
  }
}

/** Where Git for Windows has its shell. The bash in System32 is that of a Linux beside (WSL). */
function gitFolders(inPath: readonly string[], environment: NodeJS.ProcessEnv, isThere: IsThere): string[] {
  const besideGit = inPath
    .filter((folder) => isThere(join(folder, 'git.exe')))
    .flatMap((folder) => [join(dirname(folder), 'bin'), join(dirname(dirname(folder)), 'bin')]);
  const { ProgramFiles, LOCALAPPDATA } = environment;
  const roots = [
    ProgramFiles,
    environment['ProgramFiles(x86)'],
    LOCALAPPDATA && join(LOCALAPPDATA, 'Programs'),
  ];
  return [
    ...besideGit,
    ...roots.filter((root) => root !== undefined).map((root) => join(root, 'Git', 'bin')),
  ];
}

function isIn(parent: string, folder: string): boolean {
  return folder.toLowerCase().startsWith(parent.toLowerCase());
}

/** The shell in `usr\bin` of Git has no programs in its PATH; the one in `bin` starts it with them. */
function withTools(shell: string, isThere: IsThere): string {
  const match = /^(.*)\\usr\\bin\\((?:ba)?sh\.exe)$/i.exec(shell);
  const [, root = '', file = ''] = match ?? [];
  const launcher = join(root, 'bin', file);
  return match !== null && isThere(launcher) ? launcher : shell;
}

/** Programs from the store of Windows are links that only lstat can look at. */
function isProgram(path: string): boolean {
  // No file has such a name, and Node takes it for a mistake of the program.
  if (path.includes('\0')) return false;
  try {
    return /\.(?:exe|com|cmd|bat)$/i.test(path) && !lstatSync(path).isDirectory();
  } catch (error) {
    tolerate(error, unseen, 'finding a shell');
    return false;
  }
}
