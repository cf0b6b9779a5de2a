import { execFile } from 'node:child_process';
import type { System } from '../platform/system.ts';
import { shimProgram } from '../shim/program.ts';
import { after } from '../util/wait.ts';

/** An orphan that has ended is reaped by then, if anybody does it. */
const reapedWithinMs = 200;

/**
 * Whether orphans are reaped here. A shim is nobody's child, so that a process that ends all its descendants spares it;
 * in a container whose first process reaps nobody each of them would be a zombie for ever. There shims stay children of
 * their spawner. It is tried and not guessed: an orphan ends, and is looked at.
 */
export class Orphans {
  /** `null`: not known yet. */
  areReaped: boolean | null = null;
  #trying = false;

  /** Tries it once a process, in the background. Short-lived programs end before they need to know. */
  find(dir: string, system: System): void {
    if (this.#trying) return;
    this.#trying = true;
    after(reapedWithinMs, () => {
      shimProgram(dir)
        .then((program) => this.#leaveOrphan(program, system))
        .catch(() => undefined);
    });
  }

  #leaveOrphan(program: string, system: System): void {
    // It prints the pid of a child that it leaves behind, and that ends at once.
    const child = execFile(program, ['orphan'], (error, stdout) => {
      const pid = Number(stdout.trim());
      if (error !== null || !Number.isInteger(pid) || pid < 2) return;
      after(reapedWithinMs, () => {
        try {
          this.areReaped = system.view(pid)?.zombie !== true;
        } catch {
          // Out of descriptors or memory: it stays unknown.
        }
      });
    });
    child.unref();
  }
}
