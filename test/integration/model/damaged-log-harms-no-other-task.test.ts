import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { OutliveError, type Session } from '../../../src/index.ts';
import { onWindows } from '../../support/processes.ts';
import { World } from '../../support/world.ts';

/** What cannot be read and was written just now might still be a task that starts. */
const longAgo = new Date('2020-01-01');

const secret = '{"fact":"spec"} not for you\n';

const damages: Readonly<Record<string, (log: string, world: World) => void>> = {
  'is empty': (log) => truncateSync(log),
  'was cut off in its first line': (log) => truncateSync(log, 100),
  'was cut off in its last line': (log) => truncateSync(log, readFileSync(log).length - 20),
  'holds binary garbage': (log) =>
    writeFileSync(log, Buffer.from(Array.from({ length: 5000 }, (_, n) => (n * 7) % 256))),
  'holds JSON of another kind': (log) =>
    writeFileSync(log, '[]\n{}\n"x"\n{"fact":7}\n{"fact":"spec"}\n{"fact":"__proto__"}\nnull\n'),
  'has garbage behind its facts': (log) => appendFileSync(log, `${'{"fact":'.repeat(1000)}\0\xff`),
  'is one long line': (log) => writeFileSync(log, 'x'.repeat(5_000_000)),
  'is gone': (log) => unlinkSync(log),
  'is a folder': (log) => {
    rmSync(log);
    mkdirSync(log);
  },
  'is a pipe': (log) => {
    rmSync(log);
    execFileSync('mkfifo', [log]);
  },
  'has 60 MB of line breaks behind its facts': (log) => appendFileSync(log, Buffer.alloc(60_000_000, 10)),
  'is 200 MB long': (log) => truncateSync(log, 200 * 1024 ** 2),
  'is 3 GB long, and sparse': (log) => truncateSync(log, 3 * 1024 ** 3),
  'is full of facts that are torn': (log) => appendFileSync(log, '{"fact":"exit",\n'.repeat(300_000)),
  'belongs to another user': (log) => chownSync(log, 65_534, 65_534),
  'is a device': (log) => {
    rmSync(log);
    execFileSync('mknod', [log, 'c', '1', '5']);
  },
  'is a symbolic link to a file of somebody else': (log, world) => {
    rmSync(log);
    writeFileSync(join(world.base, 'precious'), secret);
    symlinkSync(join(world.base, 'precious'), log);
  },
  'is a symbolic link that leads nowhere': (log, world) => {
    rmSync(log);
    symlinkSync(join(world.base, 'nothing'), log);
  },
};

/** There may be a record that reads, or none; but nothing else happens, and nobody waits for a pipe. */
function isNamedOrNotFound(session: Session, taskId: string): boolean {
  try {
    return session.task(taskId).snapshot().taskId === taskId;
  } catch (error) {
    return error instanceof OutliveError && error.code === 'TASK_NOT_FOUND';
  }
}

/** A pipe is no file on Windows, and links need a privilege. */
const ofUnix = /pipe|link|device|user/;
const ofRoot = /device|user/;
const isRoot = process.geteuid?.() === 0;

for (const [damage, apply] of Object.entries(damages).filter(([name]) => !onWindows || !ofUnix.test(name))) {
  const skip = ofRoot.test(damage) && !isRoot && 'only root can do that to a file';
  test(`a task log that ${damage} harms no other task`, { skip }, async () => {
    await using world = new World();
    const session = await world.session('test', { retentionMs: 0 });
    const { task: broken } = await session.run('echo broken', { timeoutMs: null });
    const good = await session.spawn('echo good; exit 3');
    await good.wait({ ack: false });
    const running = await session.spawn('echo running; sleep 1000');
    await session.close();
    const log = world.logOf(broken.id);
    apply(log, world);
    if (lstatSync(log, { throwIfNoEntry: false })?.isFile()) utimesSync(log, longAgo, longAgo);

    const later = await world.session('test', { retentionMs: null });
    const tasks = (await later.tasks()).filter(({ taskId }) => taskId !== broken.id);
    assert.deepEqual(
      tasks.map(({ taskId, exitCode }) => [taskId, exitCode]),
      [
        [good.id, 3],
        [running.id, null],
      ],
    );
    assert.ok((await later.pending()).some(({ taskId }) => taskId === good.id));
    assert.equal((await later.task(good.id).read()).text, 'good\n');
    assert.equal((await later.task(running.id).kill()).status, 'killed');
    assert.equal((await later.run('exit 4')).snapshot.exitCode, 4);
    await later.prune({ olderThanMs: 0 });
    await later.shutdown();
    assert.ok(isNamedOrNotFound(later, broken.id));
    if (damage.includes('somebody else')) {
      assert.equal(readFileSync(join(world.base, 'precious'), 'utf8'), secret);
    }
  });
}
