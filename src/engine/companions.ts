import type { SerialQueue } from '../util/queue.ts';
import { Lifeline } from './lifeline.ts';
import { Sentinel, type SentinelOptions } from './sentinel.ts';

/** What a process that spawns has beside it. One for each open store, made with its first session. */
export class Companions {
  readonly lifeline: Lifeline;
  readonly sentinel: Sentinel;

  /** Without `sentinel` there is no keeper. */
  constructor(dir: string, sentinel: SentinelOptions | null, spawns: SerialQueue) {
    this.lifeline = new Lifeline(dir);
    this.sentinel = new Sentinel(sentinel, spawns);
  }

  /** Lets both go: the shims' timers count by themselves now, and the keeper has what was left. */
  async close(): Promise<void> {
    this.sentinel.close();
    await this.lifeline.close();
  }
}
