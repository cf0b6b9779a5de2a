import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupOf } from '../../../src/engine/processes/cgroup.ts';
import { decide } from '../../../src/model/decide.ts';
import type { Fact } from '../../../src/model/facts.ts';
import { foldFacts } from '../../../src/model/fold.ts';
import type { HeldLimit } from '../../../src/model/held-limits.ts';
import { exit, spec, started, stop } from '../model/sample-facts.ts';

const limits: HeldLimit[] = [{ limit: 'cpuSeconds', value: 10, by: 'ulimit' }];
const limited = [spec({ limits }), started()];
const oom: Fact = { fact: 'oom', kills: 2 };

test('the end of a command says that its CPU time was up, but only if that was limited', () => {
  assert.equal(reason([...limited, exit(152)]), 'failed cpu_limit 152');
  assert.equal(reason([...limited, exit(137, { cpuMs: 10_000 })]), 'failed cpu_limit 137');
  assert.equal(reason([...limited, exit(137, { cpuMs: 9_000 })]), 'failed null 137');
  assert.equal(reason([...limited, exit(137)]), 'failed null 137');
  assert.equal(reason([...limited, exit(1, { cpuMs: 20_000 })]), 'failed null 1');
  assert.equal(reason([spec(), started(), exit(152)]), 'failed null 152');
  // A signal that ended it tells the same.
  assert.equal(reason([...limited, exit('SIGXCPU')]), 'failed cpu_limit 152');
  assert.equal(reason([...limited, exit('SIGKILL', { cpuMs: 10_000 })]), 'failed cpu_limit 137');
  assert.equal(reason([...limited, exit('SIGKILL', { cpuMs: 9_000 })]), 'failed signal 137');
});

test('a kill for memory is the reason of the end, also of a command that pretends to have succeeded', () => {
  assert.equal(reason([...limited, exit(137), oom]), 'failed memory_limit 137');
  assert.equal(reason([...limited, exit('SIGKILL'), oom]), 'failed memory_limit 137');
  assert.equal(reason([...limited, exit(0), oom]), 'completed memory_limit 0');
  assert.equal(reason([...limited, exit(0, { pipeStatus: [137, 0] }), oom]), 'completed memory_limit 0');
});

test('a kill for memory before the command ran is the reason of the aborted spawn', () => {
  const refused = exit(0, { code: null, ran: false, errno: 0 });
  assert.equal(reason([spec({ limits }), refused, oom]), 'failed memory_limit null');
  assert.equal(reason([spec({ limits }), refused, { fact: 'oom', kills: 0 }]), 'failed spawn_aborted null');
  assert.equal(reason([spec({ limits }), stop('kill'), refused, oom]), 'killed kill null');
});

test('a stopped task counts as stopped, whatever the kernel did meanwhile', () => {
  assert.equal(reason([...limited, stop('kill'), exit(152), oom]), 'killed kill 152');
});

test('a record with a cgroup that cannot be a task’s counts as without a cgroup', () => {
  const named = (cgroup: string) => groupOf(foldFacts([spec({ cgroup })]));
  const own = '/sys/fs/cgroup/a/outlive-0123456789ab-bgb-0123abcd0123';
  assert.equal(named(own), own);
  for (const cgroup of ['/sys/fs/cgroup/a', own.replace('abcd', 'abce'), own.slice(1), `${own}/..`, ''])
    assert.equal(named(cgroup), null, cgroup);
});

function reason(log: readonly Fact[]): string {
  const decision = decide(foldFacts(log), 'no');
  assert.ok(decision.state === 'settle');
  const { status, reason: why, exitCode } = decision.verdict;
  return `${status} ${why} ${exitCode}`;
}
