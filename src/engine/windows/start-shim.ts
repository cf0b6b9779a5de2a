import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { SpecFact } from '../../model/facts.ts';
import { cookieVariable } from '../../platform/system.ts';
import { createSuspended, type SuspendedProcess } from '../../platform/windows/create.ts';
import { keepJob, makeJob } from '../../platform/windows/jobs.ts';
import { isShare } from '../../platform/windows/paths.ts';
import { shellKind, shellName } from '../../platform/windows/shells.ts';
import { notAnOption } from '../../shim/shell-words.ts';
import {
  batchScript,
  powershellScripts,
  type WrapperOptions,
  windowsWrapper,
  wrapperVariables,
} from '../../shim/windows.ts';
import { appendFacts } from '../../tasklog/log.ts';
import { taskPaths } from '../../tasklog/paths.ts';
import { type WindowsFiles, windowsFiles } from '../../tasklog/windows-files.ts';
import { startedNow } from '../queue/started.ts';
import type { SessionContext, ShellCommand } from '../session/context.ts';

/** A line of cmd has up to 8191 characters; the rest of it is ours. A variable has up to 32,767. */
const mostCmdChars = 8_000;
const mostVariableChars = 32_000;

/**
 * Starts the wrapper of a task on Windows. It is created suspended, in a job that ends with this process, then recorded,
 * and only then it runs: no command runs unrecorded, and a crash in between leaves nothing. One that has to wait for
 * its turn stays suspended, and holds the environment, which is nowhere on disk.
 * @returns its pid.
 * @throws OutliveError `SPAWN_FAILED`, or a system error of writing its files.
 */
export function startWindowsShim(context: SessionContext, request: ShellCommand, spec: SpecFact): number {
  const files = windowsFiles(context.paths, spec.taskId);
  const variables = writeFiles(files, request);
  const cmd = process.env.ComSpec || join(process.env.SystemRoot ?? 'C:\\Windows', 'System32', 'cmd.exe');
  const folder = isShare(request.cwd) ? { [wrapperVariables.folder]: request.cwd } : {};
  const environment = { ...request.environment, ...variables, ...folder, [cookieVariable]: spec.cookie };
  // With /s the outermost pair of quotes is taken away, whatever is in between.
  const line = `"${cmd}" /d /e:on /v:off /s /c ""${files.wrapper}""`;
  // cmd, which runs the wrapper, takes no folder of a share: the shell goes there itself.
  const shim = createSuspended(line, isShare(request.cwd) ? dirname(cmd) : request.cwd, environment);
  try {
    begin(context, spec, shim);
  } finally {
    shim.close();
  }
  return shim.pid;
}

function begin(context: SessionContext, spec: SpecFact, shim: SuspendedProcess): void {
  const job = makeJob(spec.cookie, shim.handle);
  const { pid, start } = shim;
  const isQueued = spec.queue !== undefined;
  try {
    const { log } = taskPaths(context.paths, spec.taskId);
    appendFacts(log, [isQueued ? { fact: 'waiting', pid, start, locks: false } : startedNow(pid, start)]);
  } catch (error) {
    shim.drop();
    throw error;
  }
  if (job !== null) keepJob(spec.cookie, job, shim.handle);
  if (!isQueued) shim.run();
}

/** Writes what the wrapper runs; the variables by which it is told. */
function writeFiles(files: WindowsFiles, request: ShellCommand): NodeJS.ProcessEnv {
  const { shell, separate } = request;
  const [kind, name] = [shellKind(shell), shellName(shell)];
  // Eval has options as well.
  const command = kind === 'posix' ? notAnOption(request.command, name) : request.command;
  const inFile = kind === 'cmd' ? command.length > mostCmdChars || command.includes('\n') : isLong(command);
  const options: WrapperOptions = { kind, name, separate, inFile, onShare: isShare(request.cwd) };
  write(files.wrapper, windowsWrapper(options));
  const told = { [wrapperVariables.shell]: shell };
  switch (kind) {
    case 'powershell': {
      const scripts = powershellScripts(command);
      write(files.main, scripts.main);
      write(files.user, scripts.user);
      return told;
    }
    case 'cmd':
      if (inFile) write(files.batch, batchScript(command));
      return inFile ? told : { ...told, [wrapperVariables.command]: command };
    case 'posix':
      if (inFile) write(files.script, command);
      return { ...told, [wrapperVariables.command]: inFile ? files.script : command };
  }
}

function isLong(command: string): boolean {
  return command.length > mostVariableChars;
}

function write(path: string, text: string): void {
  writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
}
