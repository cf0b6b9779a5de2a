import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { attachFrame, FrameReader, inputFrame } from '../src/shim/frames.ts';
import { type Ground, markedPids, readOr } from './ground.ts';
import { pause } from './measure.ts';
import { installedVersion, ran } from './peers/programs.ts';

/** The program in each terminal: it reads key by key, and writes what it reads. */
export const echoes = 'stty raw -echo; exec cat';

/** A terminal in which a program echoes, reached without a program in between. */
export interface Keyboard {
  /** Types a key, and resolves when it is shown. */
  press(): Promise<void>;
  /** The processes that hold the terminal; not the program in it. */
  holders(): readonly number[];
  close(): void;
}

/** No program shows this character by itself. */
const key = '~';

/** Waits for the next echo. */
class Echo {
  #waiting: (() => void)[] = [];

  hear(shown: string): void {
    if (!shown.includes(key)) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** Types until the program has begun to echo. */
async function untilEchoed(keyboard: Keyboard): Promise<Keyboard> {
  const echoed = keyboard.press();
  let isThere = false;
  void echoed.then(() => {
    isThere = true;
  });
  for (let tries = 0; !isThere; tries += 1) {
    if (tries === 500) throw new Error('expected a terminal that echoes; found that nothing came');
    await pause(20);
    if (!isThere) void keyboard.press();
  }
  // What was typed before the program was ready is shown late.
  await pause(300);
  return keyboard;
}

/** The socket of a task. */
export async function ofTask(path: string, shim: number): Promise<Keyboard> {
  const socket = await connected(path);
  const [echo, reader] = [new Echo(), new FrameReader()];
  socket.on('data', (bytes) => {
    for (const frame of reader.read(bytes))
      if (frame.type === 'output') echo.hear(frame.bytes.toString('latin1'));
  });
  socket.write(attachFrame({ readOnly: false }));
  const typed = inputFrame(Buffer.from(key));
  return await untilEchoed({
    press() {
      socket.write(typed);
      return echo.next();
    },
    holders: () => [shim],
    close: () => socket.destroy(),
  });
}

/** The socket of dtach, which hands the terminal's bytes on as they are. */
export async function ofDtach(ground: Ground): Promise<Keyboard> {
  await installedVersion('dtach', '--version', /version (\S+)/, 'Debian: dtach');
  const path = ground.newFile();
  await ran('dtach', ['-n', path, '-E', '-z', 'sh', '-c', echoes]);
  const socket = await connected(path);
  const echo = new Echo();
  socket.on('data', (bytes) => echo.hear(bytes.toString('latin1')));
  // Its packets: a type, a length, and eight bytes.
  const packet = (type: number, body: string): Buffer => {
    const bytes = Buffer.alloc(10);
    bytes.set([type, body.length]);
    bytes.write(body, 2, 'latin1');
    return bytes;
  };
  socket.write(packet(1, ''));
  const typed = packet(0, key);
  return await untilEchoed({
    press() {
      socket.write(typed);
      return echo.next();
    },
    holders: () => holdersOf(`dtach\0-n\0${path}`),
    close: () => socket.destroy(),
  });
}

/** The control mode of tmux, by pipes: it is made for programs. */
export async function ofTmux(ground: Ground): Promise<Keyboard> {
  await installedVersion('tmux', '-V', /tmux (\S+)/, 'Debian: tmux');
  const path = ground.newFile();
  const start = ['-S', path, '-f', '/dev/null', 'new-session', '-d', '-x', '80', '-y', '24', echoes];
  await ran('tmux', start);
  const child: ChildProcess = spawn('tmux', ['-S', path, '-C', 'attach'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const echo = new Echo();
  child.stdout?.on('data', (bytes: Buffer) => {
    for (const line of bytes.toString('latin1').split('\n')) if (line.startsWith('%output')) echo.hear(line);
  });
  return await untilEchoed({
    press() {
      child.stdin?.write(`send-keys -l '${key}'\n`);
      return echo.next();
    },
    holders: () => holdersOf(`tmux\0-S\0${path}\0-f`),
    close: () => child.kill(),
  });
}

async function connected(path: string): Promise<Socket> {
  const socket = connect(path);
  await once(socket, 'connect');
  return socket;
}

function holdersOf(commandLine: string): number[] {
  return markedPids().filter((pid) => readOr(`/proc/${pid}/cmdline`, '').startsWith(commandLine));
}
