import { OutliveError } from '../../errors/error.ts';
import type { Fleet } from '../../fleet/client/fleet.ts';
import { isFinal, type RemoteTask } from '../../fleet/wire/operations.ts';
import { inFlags } from '../flags.ts';
import type { Io } from '../io.ts';
import { type CommonOptions, sessionIdOf } from '../open.ts';
import { referenceOf } from './remote-task.ts';

/** Acknowledges ends of tasks of a fleet that were printed, if they are of this command's own session. */
export async function acknowledgePrinted(
  io: Io,
  fleet: Fleet,
  tasks: readonly RemoteTask[],
  options: CommonOptions,
): Promise<void> {
  const session = sessionIdOf(options);
  const printed = tasks.filter(
    (task) => task.spec.session === session && isFinal(task) && task.state !== 'delivered',
  );
  if (printed.length === 0) return;
  await io.arrived();
  try {
    await fleet.acknowledge(session, printed);
  } catch (error) {
    if (!(error instanceof OutliveError)) throw error;
    // A viewer only looks: the end stays pending for somebody else.
    if (error.code === 'FLEET_REFUSED') return;
    const names = printed.map(referenceOf).join(', ');
    io.note(`could not acknowledge the end of ${names}, so it is told again: ${inFlags(error.message)}`);
  }
}
