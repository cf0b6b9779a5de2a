import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { linux } from '../../../src/platform/linux/linux.ts';
import { bsd, parseListing, parseUsage } from '../../../src/platform/macos/bsd.ts';
import { notOnWindows } from '../../support/not-on-windows.ts';

// ps -A -ww -o pid=,ppid=,pgid=,sess=,stat=,lstart=,command= with LC_ALL=C and TZ=UTC0.
const macos = `\
    1     0     1      0 Ss   Sat Nov 15 07:31:02 2025     /sbin/launchd
  501     1   501      0 Ss   Sat Nov 15 07:31:09 2025     /usr/libexec/logd
 4242  4200  4242      0 Ss+  Sun Nov 16 09:05:00 2025     /bin/sh -c make all OUTLIVE_TASK=bgb-1.2 PATH=/bin
 4243  4242  4242      0 R    Sun Nov 16 09:05:01 2025     make all
 4250  4242  4242      0 Z    Sun Nov 16 09:05:01 2025     <defunct>
 4251  4242  4242      0 T+   Sun Nov  2 00:00:59 2025     vi  two  blanks
`;
const procps = `\
      1       0       1       1 Ss   Sat Nov 22 15:50:17 2025 /sbin/init
    872       1     872     872 Ssl  Sat Nov 22 15:50:21 2025 /usr/sbin/rsyslogd -n -iNONE
   9310    9300    9310    9300 Z+   Sat Nov 22 16:58:48 2025 [sh] <defunct>
   9311    9300    9310    9300 T    Sat Nov 22 16:58:49 2025 sleep 100
`;

test('the listing of macOS is read: numbers, state, start time, command', () => {
  const found = parseListing(macos);
  assert.deepEqual(
    found.map(({ view }) => view.pid),
    [1, 501, 4242, 4243, 4250, 4251],
  );
  assert.deepEqual(found[2], {
    view: {
      pid: 4242,
      parent: 4200,
      group: 4242,
      session: 0,
      start: Date.UTC(2025, 10, 16, 9, 5, 0) / 1000,
      zombie: false,
      suspended: false,
    },
    command: '/bin/sh -c make all OUTLIVE_TASK=bgb-1.2 PATH=/bin',
  });
  assert.equal(found[5]?.view.start, Date.UTC(2025, 10, 2, 0, 0, 59) / 1000);
  assert.equal(found[5]?.command, 'vi  two  blanks');
});

test('a start time is the same number in every time zone', () => {
  const { TZ } = process.env;
  try {
    process.env.TZ = 'America/New_York';
    assert.equal(parseListing(macos)[2]?.view.start, Date.UTC(2025, 10, 16, 9, 5, 0) / 1000);
  } finally {
    if (TZ === undefined) delete process.env.TZ;
    else process.env.TZ = TZ;
  }
});

test('zombies count as dead and stopped processes as suspended, whatever else the state says', () => {
  const states = [...parseListing(macos), ...parseListing(procps)]
    .filter(({ view }) => view.zombie || view.suspended)
    .map(({ view }) => [view.pid, view.zombie, view.suspended]);
  assert.deepEqual(states, [
    [4250, true, false],
    [4251, false, true],
    [9310, true, false],
    [9311, false, true],
  ]);
});

test('malformed rows are left out, and spoil nothing', () => {
  const rows = ['', 'ps: illegal option -- E', '  PID  PPID', ' 7 1 7 0 S Sun Nov 2025 sh', macos];
  assert.equal(parseListing(rows.join('\n')).length, 6);
});

// This one starts a process: the `ps` of this machine.
test('ps and /proc give the same view of a process', notOnWindows('ps and /proc'), () => {
  const [ours, theirs] = [linux.view(process.pid), bsd.view(process.pid)];
  assert.ok(ours && theirs, 'ps (procps) is needed for this test');
  const { start: ticks, ...rest } = ours;
  const { start: epochSeconds, ...same } = theirs;
  assert.deepEqual(same, rest);
  const bootSeconds = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]);
  const expected = bootSeconds + (ticks ?? 0) / 100;
  // Both are rounded, and the boot time is one that the kernel works out from the wall clock.
  assert.ok(Math.abs((epochSeconds ?? 0) - expected) <= 2, `${epochSeconds} is not near ${expected}`);
});

test('through ps, too, an unused pid is no process', () => {
  assert.equal(bsd.view(2 ** 22 + 1), null);
});

test('memory and CPU times are read for processes with one of the cookies', () => {
  // ps -A -E -ww -o pid=,rss=,time=,command=
  const listing = `\
    1  10240   1:02.50 /sbin/launchd
 4242   1024   0:00.25 /bin/sh -c make all OUTLIVE_TASK=bgb-1.2 PATH=/bin
 4243 204800 100:00.00 make all PATH=/bin OUTLIVE_TASK=bgb-1.2
 4300    512  01:02:03 sleep 5 OUTLIVE_TASK=bgb-3.4
 4301    512   0:00.01 sleep 5 OUTLIVE_TASK=bgb-5.6
 a line of another form OUTLIVE_TASK=bgb-1.2
`;
  assert.deepEqual(parseUsage(listing, new Set(['bgb-1.2', 'bgb-3.4'])), [
    { pid: 4242, cookie: 'bgb-1.2', memoryBytes: 1_048_576, cpuMs: 250 },
    { pid: 4243, cookie: 'bgb-1.2', memoryBytes: 209_715_200, cpuMs: 6_000_000 },
    { pid: 4300, cookie: 'bgb-3.4', memoryBytes: 524_288, cpuMs: 3_723_000 },
  ]);
  assert.deepEqual(parseUsage(listing, new Set()), []);
});
