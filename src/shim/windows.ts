/** What a wrapper runs: the kind of the shell, and what is special about the task. */
export interface WrapperOptions {
  readonly kind: 'cmd' | 'powershell' | 'posix';
  /** The name of the shell's program, which its messages begin with. */
  readonly name: string;
  /** stderr goes to a file of its own. */
  readonly separate: boolean;
  /** The command is in a file, since it has several lines or is long; that of PowerShell always is. */
  readonly inFile: boolean;
  /** The working directory is on a network share, where the shell goes itself: cmd takes none. */
  readonly onShare?: boolean;
}

/** Variables by which the wrapper is told what to run. The command does not see them. */
export const wrapperVariables = {
  shell: '_OUTLIVE_SHELL',
  command: '_OUTLIVE_COMMAND',
  folder: '_OUTLIVE_FOLDER',
} as const;

/**
 * The Windows shim: a batch file beside the task's output, run by cmd.exe, which is always there. It is the parent of
 * one command, whatever its shell, writes the output files, and leaves the exit code in a file that takes its place
 * whole (`tasks\ID.exit`), because cmd cannot append to a file that others have open.
 *
 * - All names come from its own (`%~dpn0`), so the text is plain ASCII wherever the store is: cmd reads batch files in
 *   a code page of its own.
 * - The redirection is cmd's, not ours: a descriptor that Node opened for appending loses the output of git-bash.
 * - `!X!` is put in after the line was parsed, so nothing in the command has a meaning to this cmd. Only that line has
 *   it, since it would take the `!` out of paths.
 * - `%ERRORLEVEL%` stands on a line of its own: it is put in when the line is read. The redirection stands in front,
 *   for `echo 1>file` means something else, and a blank would become part of the text.
 * - PowerShell leaves the marker itself: there are ways for it to end with 0 without having run anything.
 */
export function windowsWrapper(options: WrapperOptions): string {
  const stderr = options.separate ? '2>"%~dpn0.err"' : '2>&1';
  const mark = '"%~dp0..\\tasks\\%~n0.exit';
  const marking = [`>${mark}.tmp" echo %_outlive_code%`, `move /y ${mark}.tmp" ${mark}" >nul 2>nul`];
  return lines([
    '@echo off',
    `call :command <nul >"%~dpn0.out" ${stderr}`,
    'set _outlive_code=%ERRORLEVEL%',
    ...(options.kind === 'powershell' ? [] : marking),
    'exit %_outlive_code%',
    ':command',
    ...running(options),
    'exit /b %ERRORLEVEL%',
  ]);
}

function running({ kind, name, inFile, onShare = false }: WrapperOptions): string[] {
  const { shell, command, folder } = wrapperVariables;
  const program = `"%${shell}%"`;
  switch (kind) {
    case 'powershell':
      return [`${program} -NoLogo -NoProfile -NonInteractive -ExecutionPolicy Bypass -File "%~dpn0.ps1"`];
    case 'posix': {
      const text = inFile ? `$(cat "$${command}")` : `$${command}`;
      const quoted = `unset ${shell} ${command}; ${text}`.replaceAll('"', '\\"');
      const going = onShare ? `cd \\"$${folder}\\" || exit 126; unset ${folder}; ` : '';
      return [`${program} -c "${going}eval \\"${quoted}\\"" ${name}`];
    }
    case 'cmd': {
      if (inFile) return [`${program} /d /e:on /c ""%~dpn0.user.bat""`];
      const clean = [shell, command].map((variable) => `set "${variable}=" & `).join('');
      return ['setlocal EnableDelayedExpansion', `"!${shell}!" /d /e:on /s /c "${clean}!${command}!"`];
    }
  }
}

/** The command of cmd in a file: it has its rules, such as `%%` for a `%`. Other characters than ASCII are UTF-8. */
export function batchScript(command: string): string {
  const isPlain = /^\p{ASCII}*$/u.test(command);
  return lines(['@echo off', ...(isPlain ? [] : ['chcp 65001 >nul']), ...command.split(/\r?\n/)]);
}

/**
 * What PowerShell runs: `main` runs `user`, which holds the command, so that an `exit` in it comes back with its code,
 * and leaves the exit marker. The code is that of the last command, as with other shells: that of a program, or 1 for a
 * cmdlet that failed. The mark at the beginning tells the old PowerShell that this is UTF-8; so is the output.
 */
export function powershellScripts(command: string): { readonly main: string; readonly user: string } {
  const failing = 'if (-not $?) { if ($LASTEXITCODE) { exit $LASTEXITCODE } else { exit 1 } }';
  return { main: `\uFEFF${powershellMain}`, user: `\uFEFF${lines([command, failing])}` };
}

const powershellMain = lines([
  `if ($env:${wrapperVariables.folder}) { Set-Location -LiteralPath $env:${wrapperVariables.folder} -ErrorAction Stop }`,
  `Remove-Item Env:\\${wrapperVariables.folder} -ErrorAction SilentlyContinue`,
  `Remove-Item Env:\\${wrapperVariables.shell} -ErrorAction SilentlyContinue`,
  'try { [Console]::OutputEncoding = New-Object System.Text.UTF8Encoding $false } catch { }',
  '$OutputEncoding = New-Object System.Text.UTF8Encoding $false',
  '$_outlive_id = [IO.Path]::GetFileNameWithoutExtension($PSCommandPath)',
  '$_outlive_mark = [IO.Path]::Combine($PSScriptRoot, "..", "tasks", "$_outlive_id.exit")',
  '$_outlive_code = 1',
  '$global:LASTEXITCODE = 0',
  'try {',
  '  & ([IO.Path]::Combine($PSScriptRoot, "$_outlive_id.user.ps1"))',
  '  if ($?) { $_outlive_code = 0 } elseif ($LASTEXITCODE) { $_outlive_code = $LASTEXITCODE }',
  '} catch {',
  '  [Console]::Error.WriteLine(($_ | Out-String))',
  '}',
  '[IO.File]::WriteAllText("$_outlive_mark.tmp", "$_outlive_code")',
  'Move-Item -LiteralPath "$_outlive_mark.tmp" -Destination $_outlive_mark -Force',
  'exit $_outlive_code',
]);

/** With the line ends that cmd needs to find its labels. */
function lines(text: readonly string[]): string {
  return text.map((line) => `${line}\r\n`).join('');
}
