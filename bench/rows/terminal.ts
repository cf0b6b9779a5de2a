import { spawn } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { isEnded, openStore, type Store, type TaskSnapshot } from '../../src/index.ts';
import { exitOf } from '../bare.ts';
import type { Ground } from '../ground.ts';
import { echoes, type Keyboard, ofDtach, ofTask, ofTmux } from '../keyboards.ts';
import { median, must, p95, pause, type Subject, takeTurns, timed } from '../measure.ts';
import { anonymousKib } from '../processes.ts';
import { atMost, atMostTimes, type Figures, judge, noLimit, type Row } from '../row.ts';

const tty = { cols: 80, rows: 24 };

const megabyte = 1024 ** 2;

/** A key and its echo, the memory of who holds a terminal, and a flood through one. */
export async function terminals(ground: Ground): Promise<Row[]> {
  if (process.platform !== 'linux') throw new Error('expected Linux: what is counted here is in its /proc');
  return [...(await echo(ground)), await flood(ground)];
}

/** Those who hold a terminal for others. Where one is not installed, its row says so. */
const peers: Readonly<Record<string, (ground: Ground) => Promise<Keyboard>>> = {
  dtach: ofDtach,
  'tmux, in control mode': ofTmux,
};

async function echo(ground: Ground): Promise<Row[]> {
  const ours = await ofOurs(ground);
  const theirs = new Map<string, Keyboard>();
  const missing = new Map<string, string>();
  for (const [name, open] of Object.entries(peers)) {
    const found = await open(ground).catch((error: Error) => error);
    if (found instanceof Error) missing.set(name, found.message);
    else theirs.set(name, found);
  }
  const subjects: Record<string, Subject> = { ours: keyOf(ours) };
  for (const [name, keyboard] of theirs) subjects[name] = keyOf(keyboard);
  const samples = await takeTurns(1_000, subjects, 100);
  const of = (name: string): readonly number[] => samples[name] ?? [];
  const best = [...theirs.keys()].toSorted((a, b) => median(of(a)) - median(of(b)))[0];
  const rows = Object.keys(peers).map((name) => {
    const figures: Figures = {
      what: 'a key that is typed by the socket of a task, to its echo there',
      unit: 'ms',
      measured: median(of('ours')),
      p95: p95(of('ours')),
      beside: missing.has(name) ? `${name}: ${missing.get(name)}` : name,
      besideMeasured: theirs.has(name) ? median(of(name)) : null,
    };
    return judge(figures, name === best ? atMostTimes(1.5) : noLimit);
  });
  const memory = Object.keys(peers).map((name) =>
    judge(
      {
        what: 'private memory of the shim of a task with a terminal, in use',
        unit: 'KiB',
        measured: anonymousKib(ours.holders()),
        beside: missing.has(name) ? `${name}: ${missing.get(name)}` : name,
        besideMeasured: theirs.has(name) ? anonymousKib(theirs.get(name)?.holders() ?? []) : null,
      },
      atMost(80, 'at most 80 KiB'),
    ),
  );
  for (const keyboard of [ours, ...theirs.values()]) keyboard.close();
  return [...rows, ...memory];
}

function keyOf(keyboard: Keyboard): Subject {
  return async () => {
    // As when a person types: everybody sleeps when the key comes.
    await pause(1);
    return await timed(() => must('an echo', keyboard.press()));
  };
}

async function ofOurs(ground: Ground): Promise<Keyboard> {
  const session = await ground.session('echo');
  const task = await session.spawn(['sh', '-c', echoes], { tty });
  while (task.snapshot().shimPid === null) await pause(5);
  const { shimPid, output } = task.snapshot();
  // Who has the session open shows the terminal, and would do so in this process.
  await session.close();
  return await ofTask(`${output.path.slice(0, -'.out'.length)}.sock`, shimPid ?? 0);
}

const floodBytes = 64 * megabyte;

/** 64 MiB through a terminal that nobody watches, beside `script`, which also copies a terminal into a file. */
async function flood(ground: Ground): Promise<Row> {
  const source = ground.newFile();
  writeFileSync(source, lines(floodBytes));
  let count = 0;
  const ours = async (): Promise<number> => {
    count += 1;
    const session = await ground.session(`flood-${count}`);
    const { id } = await session.spawn(`exec cat ${source}`, { tty, shell: '/bin/sh' });
    await session.close();
    await using store = await openStore({ dir: ground.storeDir, readOnly: true });
    const ended = await must('the flood', ofEnded(store, id));
    if (ended.output.bytes < floodBytes) throw new Error(`expected ${floodBytes} bytes and more`);
    return Number(ended.endedAt) - Number(ended.startedAt);
  };
  const theirs = async (): Promise<number> => {
    const copy = ground.newFile();
    const taken = await timed(() =>
      exitOf(spawn('script', ['-qec', `exec cat ${source}`, copy], { stdio: 'ignore' })),
    );
    if (statSync(copy).size < floodBytes) throw new Error(`expected ${floodBytes} bytes and more`);
    return taken;
  };
  const samples = await takeTurns(5, { ours, theirs }, 1);
  const speed = (ms: number): number => floodBytes / 1e6 / (ms / 1000);
  return judge(
    {
      what: '64 MiB through a terminal',
      unit: 'MB/s',
      measured: speed(median(samples.ours)),
      beside: '`script` (util-linux), which copies a terminal into a file',
      besideMeasured: speed(median(samples.theirs)),
    },
    noLimit,
  );
}

/** Looks now and then: who does not have the session open is told of nothing. */
async function ofEnded(store: Store, id: string): Promise<TaskSnapshot> {
  for (;;) {
    const snapshot = (await store.task(id)).snapshot();
    if (isEnded(snapshot.status)) return snapshot;
    await pause(20);
  }
}

/** Text with colours, in lines that are no longer than the terminal is wide. */
function lines(bytes: number): Buffer {
  const all: string[] = [];
  for (let length = 0, at = 0; length < bytes; at += 1) {
    const line = `\x1b[3${at % 8}m${String(at).padStart(9)}\x1b[0m ${'lorem ipsum dolor '.repeat((at % 3) + 1)}\n`;
    all.push(line);
    length += line.length;
  }
  return Buffer.from(all.join('')).subarray(0, bytes);
}
