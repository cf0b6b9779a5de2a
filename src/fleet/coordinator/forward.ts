import { OutliveError } from '../../errors/error.ts';
import type {
  FollowRequest,
  ReadRequest,
  ResizeRequest,
  SendRequest,
  ShowRequest,
  ViewRequest,
} from '../wire/operations.ts';
import { writeTyped, writeView } from '../wire/terminal.ts';
import type { Core } from './core.ts';
import { currentOf } from './fold.ts';
import { throwRefusal } from './refusal.ts';
import { find } from './tasks.ts';

// What only the host of a task knows or can do. The coordinator asks the host, and passes its answer on.

/** The task in its host's store. @throws OutliveError `TASK_NOT_FOUND`, `HOST_UNREACHABLE`, or the host's refusal. */
export async function inspect(core: Core, { task }: ShowRequest): Promise<unknown> {
  return await askHost(core, task, 'show', { task });
}

/** A range of the output. */
export async function read(core: Core, { task, offset, maxBytes }: ReadRequest): Promise<unknown> {
  return await askHost(core, task, 'read', { task, offset, maxBytes });
}

/** Types into the task. */
export async function send(core: Core, asked: SendRequest, client: string): Promise<unknown> {
  const { v: _version, task, ...typed } = asked;
  await tellAudit(core, 'send', task, client);
  return await askHost(core, task, 'send', { task, ...writeTyped(typed) });
}

/** What its terminal shows. */
export async function screen(core: Core, { task }: ShowRequest): Promise<unknown> {
  return await askHost(core, task, 'screen', { task });
}

/** Sets the size of its terminal. */
export async function resize(core: Core, asked: ResizeRequest, client: string): Promise<unknown> {
  const { task, cols, rows } = asked;
  await tellAudit(core, 'resize', task, client);
  return await askHost(core, task, 'resize', { task, cols, rows });
}

/** Passes on what a person does at the terminal of the task. */
export async function view(core: Core, asked: ViewRequest, client: string): Promise<unknown> {
  const { v: _version, task, ...message } = asked;
  if (message.opens) await tellAudit(core, 'attach', task, client);
  return await askHost(core, task, 'view', { task, ...writeView(message) });
}

/** Has the host publish the output for a while. */
export async function follow(core: Core, { task, offset, forMs }: FollowRequest): Promise<unknown> {
  return await askHost(core, task, 'follow', { task, offset, forMs });
}

async function askHost(
  core: Core,
  task: string,
  verb: 'show' | 'read' | 'send' | 'screen' | 'resize' | 'view' | 'follow',
  body: object,
): Promise<unknown> {
  const { host, there } = await placeOf(core, task);
  const answer = await core.orderHost(host, verb, { ...body, task: there });
  throwRefusal(answer);
  const { v: _version, ...value } = answer as Readonly<Record<string, unknown>>;
  return value;
}

async function tellAudit(
  core: Core,
  what: 'send' | 'resize' | 'attach',
  task: string,
  client: string,
): Promise<void> {
  const { host, attempt } = await placeOf(core, task);
  core.audit.tell({ host, what, client, task, attempt });
}

/** Where the current attempt runs. @throws OutliveError if it has not started, or the task is unknown. */
async function placeOf(
  core: Core,
  task: string,
): Promise<{ readonly host: string; readonly attempt: number; readonly there: string }> {
  const { host, attempt, state, reason, localId } = currentOf(await find(core, task)).assignment;
  // The host forgets the name in the fleet when the end is acknowledged. Its store keeps the task.
  const there = state === 'delivered' && localId !== null ? localId : task;
  if (state !== 'assigned' && state !== 'revoked') return { host, attempt, there };
  const why = state === 'revoked' ? (reason ?? 'it was revoked') : `${host} has not accepted it yet`;
  throw new OutliveError('TASK_NOT_FOUND', `expected ${task} to have started; found that ${why}.`, {
    details: { taskId: task },
  });
}
