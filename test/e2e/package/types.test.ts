import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { notOnWindows } from '../../support/not-on-windows.ts';
import { installedPackage, installFromNpm, runProgram } from '../../support/packed.ts';
import { root } from '../../support/repository.ts';

// Users' programs are compiled against the declarations of the packed package, by the compilers that users have. They are
// installed from npm, since they are large and nothing else needs them. TypeScript 7 is that of this repository.

const compilers = ['5.4.5', '5.9.3', '6.0.3', null];
const resolutions = { nodenext: 'nodenext', bundler: 'esnext' };

/** Every status, cause and code is handled, and in each branch something that only this one has is used. */
const program = `
import { subscribe } from 'node:diagnostics_channel';
import {
  type Command,
  type Completion,
  type EndMessage,
  type ErrorDetails,
  OutliveError,
  openStore,
  type RunResult,
  type StatusReason,
  type TaskSnapshot,
  type WaitForResult,
} from 'outlive';
import { type SessionTool, sessionTools } from 'outlive/tools';

const never = (value: never): never => value;

export function sayStatus(snapshot: TaskSnapshot): string {
  switch (snapshot.status) {
    case 'queued':
    case 'starting':
    case 'killing': {
      const reason: 'elsewhere' | 'copied' | 'suspended' | null = snapshot.statusReason;
      const nothing: null = snapshot.exitCode ?? snapshot.endedAt;
      return String(reason ?? nothing);
    }
    case 'running':
      return snapshot.statusReason === 'silent' ? 'hangs?' : 'runs';
    case 'completed': {
      const code: 0 = snapshot.exitCode;
      return String(code);
    }
    case 'failed':
      return snapshot.statusReason === 'memory_limit' ? 'too large' : String(snapshot.exitCode);
    case 'killed':
      return snapshot.statusReason ?? 'killed';
    case 'timed_out': {
      const reason: 'timeout' | null = snapshot.statusReason;
      return String(reason);
    }
    case 'lost':
      switch (snapshot.statusReason) {
        case 'reboot':
        case 'container_restarted':
        case 'no_exit_marker':
        case 'unreadable_record':
        case 'elsewhere':
        case null: {
          const none: null = snapshot.exitCode;
          return String(none);
        }
        default:
          return never(snapshot);
      }
    default:
      return never(snapshot);
  }
}

export function sayWait(result: WaitForResult): string {
  switch (result.cause) {
    case 'pattern':
      return result.match.line;
    case 'port':
      return String(result.port.port);
    case 'screen':
      return result.screen.line;
    case 'input':
      return result.input.how + result.input.kind;
    case 'idle':
      return String(result.idleMs + 1);
    case 'exit':
    case 'timeout': {
      const nothing: null = result.match ?? result.port ?? result.idleMs;
      return String(nothing ?? sayStatus(result.snapshot));
    }
    default:
      return never(result);
  }
}

export function sayError(error: unknown): string {
  if (!(error instanceof OutliveError)) throw error;
  switch (error.code) {
    case 'TASK_LIMIT':
      return error.details.running.join() + (error.details.maxRunning + 1);
    case 'DISK_LOW':
      return String(error.details.largest?.bytes ?? error.details.freeBytes + 1);
    case 'TASK_AMBIGUOUS':
      return error.details.taskIds.join();
    case 'INVALID_ARGUMENT':
      return error.details.options?.join() ?? error.message;
    default:
      return error.code + error.stack;
  }
}

export function sayRun({ ended, snapshot }: RunResult): string {
  // @ts-expect-error there is no such status
  if (snapshot.status === 'done') return 'never';
  return ended ? 'ended' : 'goes on';
}

export async function use(words: readonly string[]): Promise<void> {
  const store = await openStore();
  const session = await store.session('s');
  const command: Command = ['grep', ...words];
  const result = await session.run(command);
  if (!result.ended) {
    const none: null = result.snapshot.endedAt;
    console.log(none);
  }
  for await (const completion of session.completions()) await acknowledge(completion);
  const reason: StatusReason | null = result.snapshot.statusReason;
  const lost: StatusReason<'lost'> = 'reboot';
  const details: ErrorDetails['TASK_LIMIT'] = { running: [], maxRunning: 1 };
  await using scoped = await session.spawn('true', { stopAtEndOfScope: true });
  console.log(scoped.id);
  // @ts-expect-error the end of the scope does not stop this one
  await using plain = await session.spawn('true');
  console.log(plain.id);
  // @ts-expect-error a number is no command
  await session.spawn(7);
  // @ts-expect-error no such option
  await session.spawn('true', { timeout: 5 });
  console.log(reason, lost, details);
  await store.close();
}

export function readingTools(tools: readonly SessionTool[]): string[] {
  return tools.filter(({ annotations }) => annotations.readOnlyHint).map(({ name }) => name);
}

export const make: typeof sessionTools = sessionTools;

async function acknowledge(completion: Completion): Promise<boolean> {
  sayStatus(completion);
  return await completion.ack();
}

subscribe('outlive:end', (message) => {
  const { taskId, status } = message as EndMessage;
  console.log(taskId, status);
});
`;

const noNpm = notOnWindows('the tests have no npm there');
let consumer = '';
before(() => {
  if (!noNpm.skip) consumer = installedPackage();
});

for (const compiler of compilers) {
  for (const [resolution, module] of Object.entries(resolutions)) {
    // What the oldest and the newest one take both ways, those between take.
    if (resolution === 'bundler' && compiler !== null && compiler !== compilers[0]) continue;
    test(
      `a program narrows the package's unions with TypeScript ${compiler ?? 'of this repository'}, ${resolution}`,
      noNpm,
      () => {
        const folder = compiler === null ? root : installFromNpm(`typescript@${compiler}`);
        const name = `narrows-${compiler ?? 'own'}-${resolution}`;
        mkdirSync(join(consumer, name));
        writeFileSync(join(consumer, name, 'program.ts'), program);
        const compilerOptions = {
          noEmit: true,
          strict: true,
          exactOptionalPropertyTypes: true,
          target: 'es2022',
          lib: ['es2022', 'esnext.disposable'],
          module,
          moduleResolution: resolution,
          types: ['node'],
          typeRoots: [join(root, 'node_modules/@types')],
        };
        const config = JSON.stringify({ compilerOptions, files: ['program.ts'] });
        writeFileSync(join(consumer, name, 'tsconfig.json'), config);
        const tsc = join(folder, 'node_modules/typescript/bin/tsc');
        assert.equal(runProgram(process.execPath, [tsc, '--project', name], consumer), '');
      },
    );
  }
}
