import { type Facts, shimOf } from '../../model/fold.ts';
import type { FileIdentity } from '../../model/words.ts';
import { originOf } from '../../platform/identity.ts';
import { monotonicMs } from '../../util/wait.ts';
import type { SessionContext } from './context.ts';
import { isHeld } from './held.ts';

/**
 * Where the processes of a task are, seen from here. `here`: this process can check its shim. `elsewhere`: on another
 * machine, or in another container. `copied`: they are those of another store, which this one is a copy of. The others
 * are gone.
 */
export type Whereabouts = 'here' | 'elsewhere' | 'copied' | 'reboot' | 'container_restarted';

/**
 * Where the processes of a task are, from its facts and from the file that they were read from. Within one boot a file has
 * a number that it keeps when it is moved, and a copy has another one. Where numbers are not what they were, and where a
 * container is not seen, the file itself is asked: a shim that lives holds it.
 */
export function whereabouts(
  context: SessionContext,
  taskId: string,
  facts: Facts,
  file: FileIdentity,
): Whereabouts {
  const { spec } = facts;
  if (spec === undefined) return 'here';
  switch (originOf(spec.by, context.store.system)) {
    case 'earlier_boot':
      return 'reboot';
    case 'elsewhere':
      return 'elsewhere';
    case 'here':
      return isSameFile(spec.file, file) || isOver(facts) || isHeld(context, taskId, file)
        ? 'here'
        : 'copied';
    case 'unseen':
      return whereUnseen(context, taskId, facts, file);
  }
}

/** Containers of which no process is seen, and of which a log was held: until then their other logs are not asked. */
const hiding = new Map<string, number>();
const hidesMs = 1_000;

function whereUnseen(context: SessionContext, taskId: string, facts: Facts, file: FileIdentity): Whereabouts {
  if (isOver(facts)) return 'container_restarted';
  // A container that was started again may have its disk mounted anew, which gives that another number.
  const isCopy = facts.spec?.file !== undefined && facts.spec.file.ino !== file.ino;
  // Until its shim is there, no process holds the log. Whether the shim comes is a matter of time.
  if (!isCopy && shimOf(facts) === undefined) return 'here';
  const { boot, pidNamespace } = facts.spec?.by ?? {};
  const container = `${boot} ${pidNamespace}`;
  if (monotonicMs() < (hiding.get(container) ?? 0)) return 'elsewhere';
  const held = isHeld(context, taskId, file);
  if (held === true) hiding.set(container, monotonicMs() + hidesMs);
  if (held !== false) return 'elsewhere';
  return isCopy ? 'copied' : 'container_restarted';
}

/** No process of the task is left that could be anywhere: its shim has proven that. To ask costs a process each time. */
function isOver({ spec, exit, gone, hook, hooked }: Facts): boolean {
  const isGone = gone !== undefined || (exit !== undefined && !exit.pending && exit.left === 0);
  return spec?.seal !== undefined && isGone && (hook === undefined || hooked !== undefined);
}

function isSameFile(recorded: FileIdentity | undefined, found: FileIdentity): boolean {
  return recorded === undefined || (recorded.dev === found.dev && recorded.ino === found.ino);
}
