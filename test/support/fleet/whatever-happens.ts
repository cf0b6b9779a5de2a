import assert from 'node:assert/strict';
import fc from 'fast-check';
import { currentOf, isOver, mayHaveStarted } from '../../../src/fleet/coordinator/fold.ts';
import { type Happening, Simulation } from './simulation.ts';

const few = fc.nat(11);
const c = fc.nat(1);
const h = fc.nat(2);
const of = <Kind extends Happening['kind']>(...kinds: Kind[]) => fc.constantFrom(...kinds);

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: of('run'),
      c,
      h: few,
      redispatch: fc.nat(2),
      startByMs: fc.constantFrom(null, 20_000, 60_000),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: of('read'), c, n: few }) },
  { weight: 9, arbitrary: fc.record({ kind: of('decide', 'write', 'write'), c, n: few }) },
  { weight: 1, arbitrary: fc.record({ kind: of('restart'), c, n: few }) },
  {
    weight: 12,
    arbitrary: fc.record({ kind: of('beat', 'list', 'accept', 'end', 'take', 'take'), h, c, n: few }),
  },
  { weight: 1, arbitrary: fc.record({ kind: of('accept silently'), h, c, n: few }) },
  { weight: 4, arbitrary: fc.record({ kind: of('cut', 'heal', 'heal', 'forge', 'silence'), h, c, n: few }) },
  { weight: 4, arbitrary: fc.record({ kind: of('cancel', 'acknowledge', 'tell'), c, n: few }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: of('pass'), ms: fc.constantFrom(1000, 5000, 15_000, 40_000) }),
  },
);

/** Whatever happens, nothing starts twice, and nothing is said not to have started that may have. */
export const whateverHappens = fc.property(
  fc.array(happening, { minLength: 40, maxLength: 120, size: 'max' }),
  (happenings) => {
    const simulation = new Simulation();
    for (const one of happenings) simulation.happen(one);
    check(simulation);
    simulation.settle();
    check(simulation);
    for (const task of simulation.tasks) settled(simulation, task);
  },
);

/** What holds at any time. */
function check(simulation: Simulation): void {
  assert.deepEqual(simulation.faults, []);
  const keys = simulation.starts.map(({ task, attempt }) => `${task}.${attempt}`);
  assert.equal(new Set(keys).size, keys.length, `started twice: ${keys}`);
  const [first, second] = simulation.memories();
  for (const task of simulation.tasks) {
    const entry = simulation.stream.entryOf(task);
    if (entry === undefined) continue;
    const known = currentOf(entry).assignment;
    // Everybody who has read the same knows the same, also by the few messages that the stream keeps.
    // The hostile host may have written so much that the messages of the coordinator are not among them.
    if (isHonest(simulation, task))
      for (const memory of [first, second]) assert.deepEqual(memory?.current(task)?.assignment, known);
    checkStarts(simulation, task);
  }
}

function checkStarts(simulation: Simulation, task: string): void {
  const [asked] = simulation.stream.messages.filter(({ assignment }) => assignment.task === task);
  const starts = simulation.starts.filter((one) => one.task === task);
  const most = 1 + (asked?.assignment.redispatch ?? 0);
  assert.ok(starts.length <= most, `${task} started ${starts.length} times; ${most} were asked for`);
  const attempts = [...(simulation.stream.entryOf(task)?.attempts.values() ?? [])];
  if (starts.length > 0)
    assert.ok(
      attempts.some(({ assignment }) => mayHaveStarted(assignment)),
      `${task} is said not to have started`,
    );
  const accepted = simulation.stream.messages.find(
    ({ after, assignment }) =>
      after === null &&
      assignment.task === task &&
      assignment.by === 'host' &&
      assignment.state === 'accepted',
  );
  const later = simulation.stream.messages.filter(
    ({ seq, after, assignment }) =>
      after !== null &&
      assignment.task === task &&
      assignment.state === 'assigned' &&
      seq > (accepted?.seq ?? Number.POSITIVE_INFINITY),
  );
  if (most === 1 && isHonest(simulation, task))
    assert.deepEqual(later, [], `${task} has another attempt after it was accepted`);
}

function isHonest(simulation: Simulation, task: string): boolean {
  return simulation.stream.entryOf(task)?.attempts.has('h3') !== true;
}

/** What holds when everybody was there for a long time. */
function settled(simulation: Simulation, task: string): void {
  const entry = simulation.stream.entryOf(task);
  if (entry === undefined) return;
  const { assignment } = currentOf(entry);
  // The hostile host may keep its own for ever, and a host that never heard that it has won does not hold it.
  const isHeld = simulation.starts.some((one) => one.task === task && one.attempt === assignment.attempt);
  if (assignment.host === 'h3' || (mayHaveStarted(assignment) && !isHeld && !isOver(assignment))) return;
  assert.equal(
    assignment.state,
    'delivered',
    `${task} is ${assignment.state} on ${assignment.host} at the end`,
  );
}
