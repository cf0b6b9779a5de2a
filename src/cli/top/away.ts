import type { Store } from '../../api/store.ts';
import type { StoreTask } from '../../api/store-task.ts';
import type { TaskSnapshot } from '../../model/snapshot.ts';
import { attachHere } from '../attach-here.ts';
import type { Io } from '../io.ts';
import type { Stream } from '../logs/begin.ts';
import { printStream } from '../logs/stream-printer.ts';
import { Pager } from '../pager.ts';
import type { FullScreen } from './full-screen.ts';
import { titleOf } from './view.ts';

/** Lends the screen to the terminal of a task. @returns what became of that, in a sentence. */
export async function attachFrom(screen: FullScreen, store: Store, task: TaskSnapshot): Promise<string> {
  await using session = await store.session(task.sessionId);
  const end = await screen.lend('here', () => attachHere(session.task(task.taskId), {}));
  return `${titleOf(task)} ${end === 'ended' ? 'has ended' : 'goes on'}`;
}

/** Lends the screen to a pager with the output of a task. @returns what is to be said of it; often nothing. */
export async function pageFrom(
  screen: FullScreen,
  plain: Io,
  task: StoreTask,
  stream: Stream,
): Promise<string> {
  let note = '';
  const take = (line: string): void => {
    note = line;
  };
  await screen.lend('before', async () => {
    // What a pager has not shown is not to be shown: the screen is drawn again.
    const pager = Pager.onScreen({ ...plain, out: async () => undefined, note: take });
    if (pager === null) {
      take('PAGER turns the pager off. Set PAGER=less');
      return;
    }
    const end = (): void => pager.end();
    screen.ended.addEventListener('abort', end);
    try {
      await printStream(pager.io, task, stream, {}, pager.closed);
      await pager.close();
    } finally {
      screen.ended.removeEventListener('abort', end);
    }
  });
  return note;
}
