import type { AgentScope } from '../agent-types.ts';

/** What a simulated stretch of use came to, by kind of call. */
export interface Used {
  readonly counts: Readonly<Record<string, number>>;
  /** What was not as it should be, in words. */
  readonly wrong: readonly string[];
}

/**
 * One minute of an agent's work, in a second: commands that it waits for, commands in the background whose ends it is
 * told of, servers that it waits for and stops, timeouts, output that it reads and follows, a session that it closes
 * and opens again. Runs in the agent, so it is handed over as text; chance comes from the seed alone.
 */
export async function useForAMinute(
  { store }: AgentScope,
  { seed, calls, atATime }: { seed: number; calls: number; atATime: number },
): Promise<Used> {
  let state = seed >>> 0;
  const random = (): number => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const wrong: string[] = [];
  const counts: Record<string, number> = {};
  const expect = (isSo: boolean, what: string): void => {
    if (!isSo) wrong.push(what);
  };
  const session = await store.session(`conversation ${Math.floor(random() * 4)}`);
  const pending = new Map<string, number>();
  const kinds: Record<string, [weight: number, work: (code: number) => Promise<void>]> = {
    foreground: [
      50,
      async (code) => {
        const { snapshot, output } = await session.run(`echo out ${code}; exit ${code}`, { waitMs: 60_000 });
        expect(
          snapshot.exitCode === code && output.text === `out ${code}\n`,
          `run: ${JSON.stringify(snapshot)}`,
        );
      },
    ],
    background: [
      25,
      async (code) => {
        const task = await session.spawn(`sleep 0.05; exit ${code}`);
        pending.set(task.id, code);
      },
    ],
    output: [
      8,
      async () => {
        const task = await session.spawn('seq 20000', { keepOutputBytes: 20_000 });
        let size = 0;
        for await (const chunk of task.follow()) size = chunk.nextOffset;
        expect(size === 108_894, `follow came to ${size}`);
        await task.wait();
        const { text } = await task.tail({ maxBytes: 6 });
        expect(text === '20000\n', `tail: ${text}`);
      },
    ],
    server: [
      7,
      async () => {
        // Git for Windows has no setsid, and a shell of its that leaves a child does not always end under Wine.
        const away = process.platform === 'win32' ? 'sleep 1000 &' : '(setsid sleep 1000 &);';
        const task = await session.spawn(`sleep 1000 & ${away} echo ready; wait`);
        const { cause } = await task.waitFor({ pattern: /^re.dy/, timeoutMs: 60_000 });
        expect(cause === 'pattern', `a server: ${cause}`);
        const { status, leftovers } = await task.kill({ graceMs: 2_000 });
        expect(status === 'killed' && leftovers.length === 0, `kill: ${status}`);
        await task.ack();
      },
    ],
    timeout: [
      4,
      async () => {
        const task = await session.spawn('exec sleep 1000', { timeoutMs: 150 });
        const { status, exitCode } = await task.wait();
        expect(status === 'timed_out' && exitCode === 124, `a timeout: ${status} ${exitCode}`);
      },
    ],
    watch: [
      4,
      async () => {
        const task = await session.spawn('for i in 1 2 3; do echo line $i; done');
        let found = 0;
        for await (const _ of task.watch('line')) found += 1;
        expect(found === 3, `a watch found ${found}`);
        await task.wait();
      },
    ],
    list: [
      2,
      async () => {
        const tasks = await session.tasks();
        expect(
          tasks.every(({ sessionId }) => sessionId === session.id),
          "another session's task in the list",
        );
      },
    ],
  };
  const total = Object.values(kinds).reduce((sum, [weight]) => sum + weight, 0);
  const choose = (): [string, (code: number) => Promise<void>] => {
    let at = random() * total;
    for (const [name, [weight, work]] of Object.entries(kinds)) {
      at -= weight;
      if (at < 0) return [name, work];
    }
    return ['foreground', async () => undefined];
  };
  let left = calls;
  const hand = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const [name, work] = choose();
      counts[name] = (counts[name] ?? 0) + 1;
      await work(Math.floor(random() * 7));
    }
  };
  await Promise.all(Array.from({ length: atATime }, hand));
  const completions = session.completions({ abortSignal: AbortSignal.timeout(60_000) });
  while (pending.size > 0) {
    const { value, done } = await completions.next();
    if (done) break;
    const { taskId, exitCode, ack } = value;
    expect(pending.get(taskId) === exitCode, `told of ${taskId} with ${exitCode}`);
    expect(await ack(), `${taskId} was acknowledged before`);
    pending.delete(taskId);
  }
  await completions.return();
  expect(pending.size === 0, `${pending.size} ends were not told`);
  await session.prune({ olderThanMs: 0 });
  await session.close();
  return { counts, wrong };
}
