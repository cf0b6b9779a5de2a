import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  answerFrame,
  askFrame,
  attachFrame,
  endFrame,
  inputFrame,
  sizeFrame,
} from '../../../src/shim/frames.ts';
import { encodeRequest, requestVariable } from '../../../src/shim/request.ts';
import type { ShellWord } from '../../../src/shim/shell-words.ts';
import { encodeFact } from '../../../src/tasklog/codec.ts';
import { exitProof, goneProof } from '../bare-shim.ts';
import { root } from '../repository.ts';
import type { Target } from './native.ts';

/** Inputs to begin with: what the library sends and writes, and in native/fuzz/found inputs that once found something. */
export function seedsOf(target: Target): Buffer[] {
  return [...make[target](), ...filesOf(join('native', 'fuzz', 'found', target))];
}

const make: Readonly<Record<Target, () => Buffer[]>> = {
  request: requests,
  log: logs,
  facts,
  clients: frames,
};

/** Each frame that a client sends, and all of them in one stream. The first two bytes say where it is divided. */
function frames(): Buffer[] {
  const all = [
    attachFrame({ readOnly: false }),
    inputFrame(Buffer.from('typed\r')),
    answerFrame(7, Buffer.from('\x1b[1;1R')),
    sizeFrame({ cols: 80, rows: 24 }),
    askFrame(),
    endFrame(),
  ];
  return [...all, Buffer.concat(all)].map((stream) => Buffer.concat([Buffer.from([3, 0]), stream]));
}

/** Requests with every field that there is. */
function requests(): Buffer[] {
  const path = '/folder/bgb-0123abcd0123.cmd';
  return [
    ['/bin/bash', '-c', { path, holds: 'word' } as const, 'bash'],
    ['ls', { path, holds: 'words' } as const],
  ]
    .map(requestFor)
    .flatMap(asInputs);
}

function requestFor(words: readonly ShellWord[]): string {
  return encodeRequest({
    task: 'bgb-0123abcd0123',
    cookie: 'bgb-0123abcd0123.83f0983fe2d61c9e',
    exitProof,
    goneProof,
    logOffset: 421,
    timeoutMs: 60_000,
    graceMs: 100,
    maxOutputBytes: 1_000_000,
    out: '/folder/bgb-0123abcd0123.out',
    err: '/folder/bgb-0123abcd0123.err',
    pumped: true,
    slots: '/folder/inotify',
    input: 'open',
    dataBytes: 12,
    piped: true,
    columns: 80,
    rows: 24,
    socket: '/tmp/outlive-0-0123456789ab/bgb-0123abcd0123.sock',
    leftovers: 'kill',
    bound: { pid: 77, start: 99 },
    queueFile: '/folder/queue',
    order: 5,
    limit: 8,
    queued: true,
    after: {
      task: 'bgb-0123abce0123',
      log: '/folder/bgb-0123abce0123.jsonl',
      seal: '0123456789abcdef0123456789abcdef',
    },
    bell: true,
    stays: false,
    limits: { cgroup: '/sys/fs/cgroup/task', memoryBytes: 1e9, cpuSeconds: 10, processes: 20, nicer: 5 },
    bashPipes: '/folder/pipes',
    hook: 'echo $OUTLIVE_STATUS',
    hookMs: 60_000,
    hookOutput: '/folder/bgb-0123abcd0123.hook',
    hookFolder: '/folder',
    words,
  });
}

/** As an environment, and as the words alone. */
function asInputs(request: string): Buffer[] {
  const variables = ['OUTLIVE_TASK=bgb-0123abcd0123.83f0983fe2d61c9e', `${requestVariable}=${request}`];
  const others = ['PATH=/usr/bin', `${requestVariable}_1=NAME=a%c3%28b%25`, 'EMPTY='];
  const fields = request.slice(request.indexOf(':') + 1, -1).replace(/(^|,)\d+:/g, '\xff');
  return [
    Buffer.from(`\0${[...variables, ...others].join('\0')}\0`, 'latin1'),
    Buffer.from(`\x01${fields.slice(1, -1)}`, 'latin1'),
  ];
}

/** Every frozen sample, and the ends that a shim proves by the secrets that the target knows. */
function logs(): Buffer[] {
  const end = { code: 0, exitSignal: null, at: 1, monoMs: 2, left: 1 };
  const proven = [
    { fact: 'started', pid: 5, start: 6, shimPid: 7, shimStart: 8, at: 1, monoMs: 1, subreaper: true },
    { fact: 'exit', ...end, pending: true, bytes: 0, proof: exitProof },
    { fact: 'gone', proof: goneProof },
  ].map((fact) => `\n${JSON.stringify(fact)}\n`);
  const stops = [
    encodeFact({ fact: 'stop', cause: 'kill', id: 'a1', graceMs: 5, killSignal: 'SIGINT', by: null, at: 1 }),
    '\n{"fact":"turn","by":null}\n',
  ];
  const samples = filesOf(join('test', 'compat', 'v2'), '.jsonl');
  const texts = [proven.join(''), stops.join(''), `${'x'.repeat(5_000)}\n${stops[0]}`];
  return [...samples, ...texts.map((text) => Buffer.from(text))].map((log) =>
    Buffer.concat([Buffer.from([0, 100]), log]),
  );
}

/** One of each kind, with numbers of few digits and of many, and text that has to be escaped. */
function facts(): Buffer[] {
  const text = Buffer.from('"\\\u0001\u007f\u20ac\u{1f600}\xe2\x82\xc3(', 'latin1');
  const names = Buffer.from('0-1,0,\n0-0,255,3,\n1-1,2,\nbash');
  return [
    Buffer.concat([Buffer.from([0, 0, 80, 0, 255]), text]),
    Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 5]), Buffer.from('graceMs":1,"graceMs')]),
    Buffer.concat([Buffer.from([2]), Buffer.alloc(49, 0x1f), names]),
    Buffer.concat([Buffer.from([2]), Buffer.alloc(49, 0xff), names]),
    Buffer.concat([Buffer.from([3]), Buffer.alloc(8, 0xff)]),
  ];
}

function filesOf(folder: string, ending = ''): Buffer[] {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  const names = readdirSync(path).filter((name) => name.endsWith(ending));
  return names.map((name) => readFileSync(join(path, name)));
}
