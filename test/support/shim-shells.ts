import { onWindows } from './processes.ts';
import { fixturePath } from './world.ts';

/** A shell that the shim must work in, with its arguments. */
export type ShimShell = readonly [string, ...string[]];

/** Every shell that may be a machine's /bin/sh, by the name that tests show. The shim of Windows runs in cmd alone. */
export const shimShells: Readonly<Record<string, ShimShell>> = onWindows
  ? { cmd: ['cmd'] }
  : {
      dash: ['dash'],
      bash: ['bash'],
      'bash --posix': ['bash', '--posix'],
      'busybox sh': ['busybox', 'sh'],
      mksh: ['mksh'],
      'zsh --emulate sh': ['zsh', '--emulate', 'sh'],
    };

/** A shell that runs where there is no /proc to be seen. */
export function withoutProc(shell: ShimShell): ShimShell {
  return ['sh', fixturePath('hides-proc.sh'), ...shell];
}
