import type { TaskSnapshot } from '../model/snapshot.ts';

/** How a command ended, in the words of ACP: both are null when nothing can say. */
export interface ExitStatus {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** How an ended task ended. A signal that the shell saw is in its exit code (128 + n), and in no other place. */
export function exitStatusOf({ exitCode, exitSignal }: TaskSnapshot): ExitStatus {
  return { exitCode: exitSignal === null ? exitCode : null, signal: exitSignal };
}
