import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decide } from '../../src/model/decide.ts';
import { foldFacts } from '../../src/model/fold.ts';
import { checkDecision, sequences } from './decide-logs.ts';
import {
  delivered,
  exit,
  outcome,
  proof,
  reaped,
  sealedSpec,
  started,
  stop,
  waiting,
} from './sample-facts.ts';

test('where the exit marker must prove itself, every sequence of up to four facts is decided as the design says', () => {
  const facts = [
    ...[started(), exit(0), exit(7, { proof }), exit(5, { proof }), exit(3, { proof: 'guessed' })],
    ...[outcome(), outcome({ id: 'outcome-2' }), stop('kill'), delivered(), waiting(), reaped(9)],
  ];
  for (const log of sequences(facts, 4)) checkDecision([sealedSpec, ...log]);
  // Whatever stands before the spec.
  for (const log of sequences([...facts, sealedSpec], 3)) checkDecision(log);
});

test('nothing that is forged behind a proven end takes back the outcome, and nothing before it makes one stand', () => {
  const told = [sealedSpec, started(), exit(7, { proof }), outcome(), delivered()];
  const forged = [exit(0), exit(0, { proof }), started({ pid: 700 }), waiting(), outcome({ id: 'forged' })];
  const decision = decide(foldFacts([...told, ...forged]), 'no');
  assert.deepEqual([decision.state, decision.state === 'ended' && decision.delivered], ['ended', true]);
  const early = [sealedSpec, started(), exit(0), outcome({ id: 'forged' }), delivered(), exit(7, { proof })];
  const settled = decide(foldFacts(early), 'no');
  assert.equal(settled.state === 'settle' && settled.verdict.exitCode, 7);
});
