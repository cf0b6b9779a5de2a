import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitProof, factsOf, goneProof, textOf } from './sample.ts';

// Lines as native shims write them, of every form. They must load for ever; they are never edited.

const started = { fact: 'started', pid: 9_049, shimPid: 9_048, at: 1_795_848_850_724, monoMs: 2_215_841 };
const exit = { fact: 'exit', core: false, ran: true, errno: null, pending: false, proof: exitProof };
const hooked = { fact: 'hooked', code: null, exitSignal: null, cause: null, errno: null };
const sleep = { pid: 9_066, command: 'sleep 0.4', start: 221_593 };

const facts = [
  { fact: 'waiting', pid: 9_570, start: 222_511, locks: true },
  { fact: 'waiting', pid: 9_570, start: null, locks: false },
  { ...started, start: 221_584, shimStart: 221_583, subreaper: true },
  { ...started, start: null, shimStart: null, subreaper: false },
  {
    fact: 'stop',
    cause: 'timeout',
    id: 'shim',
    by: null,
    at: 1_795_848_851_976,
    graceMs: 300,
    killSignal: 'SIGTERM',
  },
  { fact: 'stopping', id: 'ab12' },
  {
    ...exit,
    ...{ code: 7, exitSignal: null, cpuMs: 0, peakBytes: 1_671_168, left: 0 },
    ...{ at: 1_795_848_850_725, monoMs: 2_215_841 },
  },
  {
    ...exit,
    ...{
      code: null,
      exitSignal: 'SIGSEGV',
      core: true,
      cpuMs: 3,
      peakBytes: 1_581_056,
      left: 1,
      pending: true,
    },
    ...{ at: 1_795_848_850_771, monoMs: 2_215_887 },
  },
  {
    ...exit,
    ...{ code: null, exitSignal: 'SIG34', cpuMs: 0, peakBytes: 1_585_152, left: null },
    ...{ at: 1_795_848_850_792, monoMs: 2_215_909 },
  },
  {
    ...exit,
    ...{ code: null, exitSignal: null, ran: false, errno: 28, cpuMs: 0, peakBytes: 0, left: 0 },
    ...{ at: 1_795_848_850_747, monoMs: 2_215_863 },
  },
  {
    fact: 'left',
    processes: [
      { ...sleep, command: 'sleep "0.4" \ufffd\u0001' },
      { pid: 9_067, command: '[sleep]', start: 0 },
    ],
  },
  { fact: 'left', processes: null },
  { fact: 'left', processes: [], proof: goneProof },
  { fact: 'stopped', id: '', survivors: [] },
  { fact: 'stopped', id: 'ab12', survivors: [sleep] },
  { fact: 'gone', proof: goneProof },
  {
    ...exit,
    ...{ code: 0, exitSignal: null, cpuMs: 3, peakBytes: 3_198_976, left: 0, pipeStatus: [1, 0] },
    ...{ at: 1_795_863_517_029, monoMs: 16_882_145 },
  },
  { fact: 'hook', pid: 28_032, start: 1_688_215, at: 1_795_863_517_035, monoMs: 16_882_151 },
  { ...hooked, code: 3, at: 1_795_863_517_045, monoMs: 16_882_161 },
  { ...hooked, exitSignal: 'SIGKILL', at: 1_795_863_519_612, monoMs: 16_884_728 },
  { ...hooked, errno: 17, at: 1_795_863_519_747, monoMs: 16_884_864 },
  { ...hooked, cause: 'timeout', at: 1_795_863_579_747, monoMs: 16_944_864 },
];

test('every line that a shim writes is parsed as the right fact', () => {
  assert.deepEqual(factsOf('shim-lines.jsonl'), facts);
  assert.equal(textOf('shim-lines.jsonl').split('\n').filter(Boolean).length, facts.length);
});
