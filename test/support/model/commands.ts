import fc from 'fast-check';
import type { Crew, Member } from './crew.ts';
import { asked, type Expected, type History } from './history.ts';
import { checkNow } from './quiet.ts';

/** One step: what it does, and for how long nobody does anything behind it. */
type Step = fc.AsyncCommand<History, Crew>;

const sessions = ['a', 'b'] as const;
const session = fc.constantFrom(...sessions);
const place = fc.nat({ max: 2 });
const which = fc.nat({ max: 99 });
const pauseMs = fc.oneof({ arbitrary: fc.constant(0), weight: 3 }, fc.nat({ max: 30 }));

/** All steps, those that come often several times. */
export function anyStep(): fc.Arbitrary<Step>[] {
  const often = (arbitrary: fc.Arbitrary<Step>, times: number): fc.Arbitrary<Step>[] =>
    Array.from({ length: times }, () => arbitrary);
  return [
    ...often(spawning, 6),
    ...often(finishing, 5),
    ...often(killing, 3),
    ...often(withTask('ack'), 2),
    ...often(withTask('wait'), 2),
    ...often(withSession('takePending'), 2),
    ...often(stampede, 2),
    ...often(consuming, 2),
    ...often(crashing, 2),
    ...often(quiet, 2),
    ...(['open', 'shutdown', 'prune', 'release', 'close'] as const).map(withSession),
    leaving,
    ...often(freezing, 2),
    ...often(freezingAtCall, 3),
    ...often(freezingShim, 2),
    ...often(anHourLater, 3),
    ...often(striking, 2),
  ];
}

function step(
  name: string,
  run: (model: History, crew: Crew) => Promise<void>,
  ms: number,
  check: (model: History) => boolean = () => true,
): Step {
  return {
    check,
    run: async (model, crew) => {
      crew.steps += 1;
      await run(model, crew);
      if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
    },
    toString: () => name,
  };
}

/** What a spawn is told that was stopped for so long that its task was given up. */
const aborted = new Set(['SPAWN_FAILED', 'STORE_UNWRITABLE']);

const hasTasks = ({ tasks }: History): boolean => tasks.length > 0;

function taskAt({ tasks }: History, index: number): Expected {
  // The youngest are the most likely to be in the middle of something.
  const task = tasks.at(-1 - (index % Math.min(tasks.length, 8)));
  if (task === undefined) throw new Error('expected a task');
  return task;
}

const spawning = fc
  .record({
    place,
    session,
    kind: fc.constantFrom('plain', 'plain', 'stubborn', 'leaves', 'quick'),
    leftovers: fc.constantFrom('report', 'kill', 'wait'),
    timeoutMs: fc.constantFrom(null, null, null, 300),
    onLimit: fc.constantFrom('reject', 'queue', 'queue'),
    ms: pauseMs,
  })
  .map(({ place: at, ms, ...spec }) =>
    step(
      `spawn(${at} ${JSON.stringify(spec)})`,
      async ({ tasks }, crew) => {
        const task = asked({ ...spec, tag: `t${tasks.length}` });
        tasks.push(task);
        // What was asked of the session before, and is answered later, concerns this one, too.
        task.stopAsked = crew.isAsked('shutdown', spec.session);
        task.openPrunes = crew.isAsked('prune', spec.session) ? 1 : 0;
        const { leftovers, timeoutMs, onLimit } = spec;
        const options = { name: task.tag, leftovers, timeoutMs, onLimit, graceMs: 100 };
        const verb = {
          verb: 'spawn',
          session: spec.session,
          command: crew.commandOf(task),
          options,
        } as const;
        crew.ask(
          await crew.member(at),
          verb,
          ([id]) => {
            task.taskId = id ?? null;
          },
          (code, message) => {
            task.refused = code === 'TASK_LIMIT';
            if (!aborted.has(code)) return;
            // Somebody has given it up, or it was taken back.
            if (!task.mayBeGivenUp) crew.faults.push(`the spawn of ${task.tag} was refused: ${message}`);
            task.stopAsked = task.mayBeAcked = true;
          },
        );
      },
      ms,
    ),
  );

const finishing = fc.tuple(which, fc.constantFrom(0, 1, 7), pauseMs).map(([index, code, ms]) =>
  step(
    `finish(${index} ${code})`,
    async (model, crew) => {
      const task = taskAt(model, index);
      if (task.code !== null) return;
      task.code = code;
      crew.finish(task.tag, code);
    },
    ms,
    hasTasks,
  ),
);

const killing = fc
  .tuple(place, which, fc.constantFrom(0, 50, 200), fc.constantFrom('SIGTERM', 'SIGINT', 'SIGKILL'), pauseMs)
  .map(([at, index, graceMs, killSignal, ms]) =>
    step(
      `kill(${at} ${index} ${graceMs} ${killSignal})`,
      async (model, crew) => {
        const task = taskAt(model, index);
        task.stopAsked = true;
        const verb = { verb: 'kill', session: task.session, tag: task.tag, graceMs, killSignal } as const;
        crew.ask(await crew.member(at), verb, ([status]) => {
          if (status === undefined) return;
          task.stopAnswered = true;
          const isEnd = /^(completed|failed|killed|timed_out)$/.test(status);
          if (!isEnd && !(task.shimKilled && status === 'lost'))
            crew.faults.push(`kill of ${task.tag} was answered while it was ${status}`);
        });
      },
      ms,
      hasTasks,
    ),
  );

function withTask(verb: 'ack' | 'wait'): fc.Arbitrary<Step> {
  return fc.tuple(place, which, pauseMs).map(([at, index, ms]) =>
    step(
      `${verb}(${at} ${index})`,
      async (model, crew) => {
        const { session: of, tag } = taskAt(model, index);
        if (verb === 'wait') taskAt(model, index).mayBeAcked = true;
        crew.ask(await crew.member(at), { verb, session: of, tag }, () => undefined);
      },
      ms,
      hasTasks,
    ),
  );
}

type SessionVerb = 'open' | 'takePending' | 'shutdown' | 'prune' | 'release' | 'close';

function withSession(verb: SessionVerb): fc.Arbitrary<Step> {
  return fc.tuple(place, session, pauseMs).map(([at, of, ms]) =>
    step(
      `${verb}(${at} ${of})`,
      async (model, crew) => {
        const member = await crew.member(at);
        const tasks = model.tasks.filter((task) => task.session === of);
        if (verb === 'shutdown') for (const task of tasks) task.stopAsked = true;
        if (verb === 'prune') for (const task of tasks) task.openPrunes += 1;
        crew.ask(member, { verb, session: of }, (ids) => answeredFor(verb, tasks, ids, member, of));
      },
      ms,
    ),
  );
}

function answeredFor(
  verb: SessionVerb,
  tasks: readonly Expected[],
  ids: readonly string[],
  member: Member,
  of: string,
): void {
  if (verb === 'close') {
    // Whoever asked for something meanwhile has opened it again.
    const others = [...member.inFlight.values()].filter(
      (open) => open.session === of && open.verb !== 'close',
    );
    if (others.length === 0) member.open.delete(of);
  }
  for (const task of tasks) {
    if (verb === 'shutdown' && ids.includes(task.taskId ?? '')) task.stopAnswered = true;
    if (verb === 'prune') task.openPrunes -= 1;
    // A spawn may be answered after its task was given up, told and removed.
    if (verb === 'prune') for (const id of ids) task.pruned.add(id);
  }
}

const stampede = fc.tuple(session, pauseMs).map(([of, ms]) =>
  step(
    `stampede(${of})`,
    async (_model, crew) => {
      const all = [await crew.member(0), await crew.member(1), await crew.member(2)];
      for (const member of all) crew.ask(member, { verb: 'takePending', session: of }, () => undefined);
    },
    ms,
  ),
);

const consuming = fc
  .tuple(place, session, fc.boolean(), fc.nat({ max: 20 }), fc.nat({ max: 6 }), pauseMs)
  .map(([at, of, exclusive, holdMs, most, ms]) =>
    step(
      `consume(${at} ${of} ${exclusive ? 'exclusive ' : ''}${holdMs} ${most})`,
      async (_model, crew) => {
        const member = await crew.member(at);
        member.consumes.add(of);
        crew.ask(member, { verb: 'consume', session: of, exclusive, holdMs, most }, () => undefined);
      },
      ms,
    ),
  );

const crashing = fc.tuple(place, pauseMs).map(([at, ms]) =>
  step(
    `crash(${at})`,
    async ({ tasks }, crew) => {
      const left = await crew.crash(at);
      if (left === null) return;
      // What it acknowledged at the last moment nobody has told.
      for (const task of tasks) {
        const cut = left.verbs.some((verb) =>
          verb.verb === 'takePending'
            ? verb.session === task.session
            : verb.verb === 'ack' && verb.tag === task.tag,
        );
        if (cut || left.consumed.includes(task.session)) task.mayBeAcked = true;
      }
    },
    ms,
  ),
);

const leaving = fc
  .tuple(place, pauseMs)
  .map(([at, ms]) => step(`leave(${at})`, async (_model, crew) => await crew.leave(at), ms));

const freezing = fc.tuple(place, pauseMs).map(([at, ms]) =>
  step(
    `freeze(${at})`,
    async (_model, crew) => {
      const member = crew.members[at % 3];
      if (member === undefined) return;
      if (member.frozen) await crew.thaw(member);
      else crew.freeze(member);
    },
    ms,
  ),
);

const freezingAtCall = fc.tuple(place, fc.integer({ min: 1, max: 60 }), pauseMs).map(([at, calls, ms]) =>
  step(
    `freezeAtCall(${at} ${calls})`,
    async (_model, crew) => {
      const member = crew.members[at % 3];
      if (member !== undefined && !member.frozen) crew.freezeAtCall(member, calls);
    },
    ms,
  ),
);

const freezingShim = fc
  .tuple(which, pauseMs)
  .map(([index, ms]) =>
    step(`freezeShim(${index})`, async (model, crew) => crew.freezeShim(taskAt(model, index)), ms, hasTasks),
  );

/** For another process an hour has passed since whoever is stopped was stopped. What it gives up may not have begun. */
const anHourLater = fc
  .tuple(fc.constantFrom('open', 'takePending', 'prune', 'shutdown' as const), session, pauseMs)
  .map(([verb, of, ms]) =>
    step(
      `anHourLater(${verb} ${of})`,
      async (model, crew) => {
        const member = await crew.lateMember();
        const tasks = model.tasks.filter((task) => task.session === of);
        for (const task of tasks) if (!task.seenRunning) task.mayBeGivenUp = true;
        if (verb === 'shutdown') for (const task of tasks) task.stopAsked = true;
        if (verb === 'prune') for (const task of tasks) task.openPrunes += 1;
        crew.ask(member, { verb, session: of }, (ids) => answeredFor(verb, tasks, ids, member, of));
        await Promise.allSettled(member.inFlight.keys());
        crew.ask(member, { verb: 'close', session: of }, () => undefined);
        await Promise.allSettled(member.inFlight.keys());
        member.open.delete(of);
      },
      ms,
    ),
  );

const striking = fc.tuple(which, pauseMs).map(([index, ms]) =>
  step(
    `strike(${index})`,
    async (model, crew) => {
      const task = taskAt(model, index);
      if (crew.killShim(task)) task.shimKilled = true;
    },
    ms,
    hasTasks,
  ),
);

const quiet = fc.constant(step('quiet', checkNow, 0));
