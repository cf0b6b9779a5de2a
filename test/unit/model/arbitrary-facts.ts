import fc from 'fast-check';
import type { ExitFact, Fact, OutcomeFact, SpecFact } from '../../../src/model/facts.ts';
import { limitHolders, resourceLimits } from '../../../src/model/held-limits.ts';
import { hookCauses } from '../../../src/model/hook-facts.ts';
import {
  endedStatuses,
  leftoversPolicies,
  outputWays,
  type ProcessIdentity,
  stopCauses,
} from '../../../src/model/words.ts';

/** Any text: line breaks, NUL, other control characters, and halves of surrogate pairs that stand alone. */
export const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom('\n', '\r', '\0', '\u2028', '\ud800', '\udfff', '"', '}'),
    ),
    {
      maxLength: 4,
    },
  )
  .map((parts) => parts.join(''));

/** Numbers as JSON can hold them; it has no -0. */
export const anyNumber = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value)),
);

/** Objects with the usual prototype, so that they equal those that a parser makes. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true });

const numberOrNull = fc.option(anyNumber);
const textOrNull = fc.option(anyText);
const pid = fc.integer({ min: 2, max: 2 ** 31 - 1 });

/** What is absent is not there, rather than there and undefined. */
function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const present = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(present) as { [K in keyof T]: Exclude<T[K], undefined> };
}

const identity: fc.Arbitrary<ProcessIdentity> = record({
  pid,
  start: numberOrNull,
  boot: anyText,
  pidNamespace: anyText,
  host: anyText,
  machine: fc.option(anyText, { nil: undefined }),
}).map(withoutUndefined);

const leftovers = fc.array(record({ pid, command: anyText, start: numberOrNull }), { maxLength: 2 });
const statuses = fc.array(anyNumber, { maxLength: 3 });

/** Any spec that could have been written. */
const anySpec: fc.Arbitrary<SpecFact> = record({
  fact: fc.constant('spec'),
  v: fc.constant(2),
  taskId: anyText,
  sessionId: anyText,
  command: anyText,
  commandInFile: fc.boolean(),
  cwd: anyText,
  shell: anyText,
  name: textOrNull,
  // A list of pairs, so that `__proto__` and `constructor` come up as keys like any other.
  labels: fc
    .array(fc.tuple(fc.oneof(anyText, fc.constantFrom('__proto__', 'constructor')), anyText), {
      maxLength: 2,
    })
    .map((entries): Record<string, string> => Object.fromEntries(entries)),
  timeoutMs: numberOrNull,
  graceMs: anyNumber,
  separate: fc.boolean(),
  leftovers: fc.constantFrom(...leftoversPolicies),
  maxOutputBytes: numberOrNull,
  keepOutputBytes: numberOrNull,
  bindTo: fc.option(fc.oneof(fc.constant('session' as const), identity)),
  retentionMs: numberOrNull,
  cookie: anyText,
  createdAt: anyNumber,
  monoMs: anyNumber,
  by: identity,
  file: fc.option(record({ dev: anyNumber, ino: anyNumber }), { nil: undefined }),
  starter: fc.option(
    record({
      party: fc.option(anyText, { nil: undefined }),
      caller: fc.option(anyText, { nil: undefined }),
      client: record({ pid, start: numberOrNull }),
      cwd: fc.option(anyText, { nil: undefined }),
    }).map(withoutUndefined),
    { nil: undefined },
  ),
}).map(withoutUndefined);

const anyExit: fc.Arbitrary<ExitFact> = record({
  fact: fc.constant('exit'),
  code: fc.option(fc.maxSafeInteger()),
  exitSignal: textOrNull,
  core: fc.boolean(),
  ran: fc.boolean(),
  at: numberOrNull,
  monoMs: numberOrNull,
  cpuMs: numberOrNull,
  peakBytes: fc.option(fc.nat()),
  left: fc.option(fc.nat()),
  pending: fc.boolean(),
  errno: fc.option(fc.nat()),
}).map((exit) => {
  if (!exit.ran) return exit;
  return { ...exit, errno: null, exitSignal: exit.code === null ? (exit.exitSignal ?? '') : null };
});

const anyOutcome: fc.Arbitrary<OutcomeFact> = record({
  fact: fc.constant('outcome'),
  id: anyText,
  status: fc.constantFrom(...endedStatuses),
  reason: textOrNull,
  exitCode: fc.option(fc.maxSafeInteger()),
  exitSignal: textOrNull,
  startedAt: numberOrNull,
  endedAt: numberOrNull,
  lastSeenAt: anyNumber,
  cpuMs: numberOrNull,
  bytes: anyNumber,
  stderrBytes: anyNumber,
  leftovers,
  pipeStatus: fc.option(statuses),
}).map((outcome) => (outcome.endedAt === null ? outcome : { ...outcome, lastSeenAt: null }));

const anyCut = record({
  stream: fc.constantFrom('stdout', 'stderr'),
  ends: fc.array(fc.nat(), { minLength: 3, maxLength: 3 }),
  notice: fc.nat(),
}).map(({ stream, ends, notice }) => {
  const [head = 0, tail = 0, bytes = 0] = ends.toSorted((a, b) => a - b);
  return { fact: 'cut', stream, head, tail, bytes, notice } as const;
});

const anyQueuedSpec: fc.Arbitrary<SpecFact> = fc
  .tuple(anySpec, record({ maxRunning: anyNumber, order: anyNumber }), anyText)
  .map(([spec, queue, after]) => ({ ...spec, queue, after }));
const pattern = fc.oneof(record({ text: anyText }), record({ regexp: anyText, flags: anyText }));
const stream = fc.constantFrom('stdout', 'stderr');

const anyLimitedSpec: fc.Arbitrary<SpecFact> = fc
  .tuple(
    anySpec,
    anyText,
    fc.array(
      record({
        limit: fc.constantFrom(...resourceLimits),
        value: anyNumber,
        by: fc.constantFrom(...limitHolders),
      }),
      { maxLength: 3 },
    ),
  )
  .map(([spec, cgroup, limits]) => ({ ...spec, cgroup, limits }));

const anySealedSpec: fc.Arbitrary<SpecFact> = fc
  .tuple(anySpec, anyText)
  .map(([spec, seal]) => ({ ...spec, seal, onExit: seal, key: seal }));

const anyPipedSpec: fc.Arbitrary<SpecFact> = fc
  .tuple(anySpec, fc.constantFrom(...outputWays))
  .map(([spec, output]) => ({ ...spec, output }));

/** Any fact of any kind, as it could have been written. */
export const anyFact: fc.Arbitrary<Fact> = fc.oneof(
  anySpec,
  anyQueuedSpec,
  anyLimitedSpec,
  anySealedSpec,
  anyPipedSpec,
  record({ fact: fc.constant('erased'), stream, bytes: fc.nat(), at: numberOrNull }),
  record({ fact: fc.constant('oom'), kills: anyNumber }),
  record({ fact: fc.constant('waiting'), pid, start: numberOrNull, locks: fc.boolean() }),
  record({ fact: fc.constant('turn'), by: identity, at: anyNumber }),
  record({
    fact: fc.constant('started'),
    pid,
    start: numberOrNull,
    shimPid: pid,
    shimStart: numberOrNull,
    at: anyNumber,
    monoMs: numberOrNull,
    subreaper: fc.boolean(),
  }),
  record({
    fact: fc.constant('stop'),
    cause: fc.constantFrom(...stopCauses),
    id: anyText,
    by: fc.option(identity),
    at: numberOrNull,
    graceMs: numberOrNull,
    killSignal: textOrNull,
  }),
  record({ fact: fc.constant('stopping'), id: anyText }),
  record({ fact: fc.constant('stopped'), id: anyText, survivors: leftovers }),
  anyExit,
  fc.tuple(anyExit, anyText).map(([exit, proof]) => ({ ...exit, proof })),
  fc.tuple(anyExit, anyNumber).map(([exit, copied]) => ({ ...exit, copied })),
  fc.tuple(anyExit, statuses).map(([exit, pipeStatus]) => ({ ...exit, pipeStatus })),
  fc.tuple(anyExit, fc.nat(), fc.nat()).map(([exit, bytes, dropped]) => ({ ...exit, bytes, dropped })),
  record({ fact: fc.constant('left'), processes: fc.option(leftovers) }),
  record({ fact: fc.constant('left'), processes: fc.option(leftovers), proof: anyText }),
  record({ fact: fc.constant('gone'), proof: anyText }),
  record({ fact: fc.constant('hook'), pid, start: numberOrNull, at: numberOrNull, monoMs: numberOrNull }),
  record({
    fact: fc.constant('hooked'),
    code: fc.option(fc.maxSafeInteger()),
    exitSignal: textOrNull,
    cause: fc.option(fc.constantFrom(...hookCauses)),
    errno: fc.option(fc.nat()),
    at: numberOrNull,
    monoMs: numberOrNull,
  }),
  anyOutcome,
  record({ fact: fc.constant('claim'), id: anyText, by: identity }),
  record({ fact: fc.constant('claim'), id: anyText, by: identity, party: anyText }),
  record({ fact: fc.constant('unclaim'), id: anyText }),
  record({ fact: fc.constant('told'), id: anyText, at: anyNumber }),
  record({ fact: fc.constant('delivered'), id: anyText, at: anyNumber }),
  anyCut,
  record({ fact: fc.constant('watch'), id: anyText, pattern, stream, from: fc.nat(), at: anyNumber }),
  record({ fact: fc.constant('seen'), watch: anyText, id: anyText, offset: fc.nat(), at: anyNumber }),
  record({
    ...{ fact: fc.constant('telling'), watch: anyText, id: anyText, by: identity },
    ...{ from: fc.nat(9), to: fc.integer({ min: 9, max: 99 }) },
  }),
  record({ fact: fc.constant('untelling'), watch: anyText, id: anyText }),
  record({ fact: fc.constant('unwatch'), watch: anyText }),
  record({ fact: fc.constant('unwatch'), watch: anyText, ended: fc.constant(true) }),
);

/** Any log. */
export const anyFacts: fc.Arbitrary<Fact[]> = fc.array(anyFact, { maxLength: 12 });
