import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Decision, decide } from '../../src/model/decide.ts';
import type { Fact } from '../../src/model/facts.ts';
import { type Facts, foldFacts } from '../../src/model/fold.ts';
import { snapshotOf, type TaskSnapshot } from '../../src/model/snapshot.ts';
import type { Liveness } from '../../src/model/words.ts';
import { readLog } from '../../src/tasklog/read-log.ts';
import { root } from '../support/repository.ts';

/** The process that asked for the tasks of the samples. */
export const by = {
  pid: 11_953,
  start: 438_295,
  boot: 'dfe8e6e8-4a9e-4a9f-a37a-69dee54719fb',
  pidNamespace: 'pid:[4026531836]',
  host: 'build-1',
};

/** The secrets that the shims of the samples show at the end of the command, and of the last process. */
export const exitProof = 'c0f5f776188f3f427e2e7618dc5a5ed8';
export const goneProof = '83f0983fe2d61c9e0421a4bac86b0c30';

const sample = (name: string): string => join(root, 'test/compat/v2', name);

/** The text of a sample. */
export function textOf(name: string): string {
  return readFileSync(sample(name), 'utf8');
}

/** The facts of a log among the samples, in their order. */
export function factsOf(name: string): readonly Fact[] {
  return readLog(sample(name))?.list ?? [];
}

/** Its facts, folded. */
export function folded(name: string): Facts {
  return foldFacts(factsOf(name));
}

/** The snapshot of its task, which is gone and has written nothing. */
export function snapshotIn(name: string): TaskSnapshot {
  return snapshotOf(folded(name), {
    ...{ taskId: 'bgb-32c62d5d32c6', sessionId: 'conversation-42', alive: 'no', suspended: false },
    ...{ nowMs: 1_795_848_990_000, modifiedAt: 1_795_848_990_000 },
    output: {
      ...{ path: '/output', stderrPath: null, bytes: 0, erasedBytes: 0, droppedBytes: 0 },
      ...{ lastWrittenAt: null, preview: '', truncated: false },
    },
  });
}

/** How its task ended, in one line; of one that has an outcome the id of that. */
export function fateOf(name: string, alive: Liveness): string {
  const decision: Decision = decide(folded(name), alive);
  switch (decision.state) {
    case 'live':
      return decision.status;
    case 'settle': {
      const { status, reason, exitCode, exitSignal } = decision.verdict;
      return `${status} ${reason} ${exitCode} ${exitSignal}`;
    }
    case 'ended':
      return `${decision.outcome.id}${decision.delivered ? ' delivered' : ''}`;
  }
}
