import type { SerialQueue } from '../../util/queue.ts';
import type { WindowsParts } from '../session/context.ts';
import { copyExitMark, dropFiles } from './exit-mark.ts';
import type { Sentinel, SentinelOptions } from './sentinel.ts';

/**
 * What a store on Windows needs beside the rest.
 * @param sentinel what looks after its tasks when this process is gone; null for those who spawn nothing.
 */
export function windowsParts(
  sentinel: (SentinelOptions & { readonly spawns: SerialQueue }) | null,
): WindowsParts {
  let made: Sentinel | null = null;
  return {
    copyExitMark,
    startShim: async (context, request, spec) => {
      // A reader of a store needs none of that code.
      const { startWindowsShim } = await import('./start-shim.ts');
      return await context.store.spawns.run(() => startWindowsShim(context, request, spec));
    },
    dropFiles,
    enforcer: async (context) => {
      // A caller that only reads a store needs none of that code.
      const [{ WindowsEnforcer }, { Sentinel }] = await Promise.all([
        import('./enforcer.ts'),
        import('./sentinel.ts'),
      ]);
      if (sentinel !== null) made ??= new Sentinel(sentinel, sentinel.spawns);
      return new WindowsEnforcer(context, made);
    },
    close: () => made?.close(),
  };
}
