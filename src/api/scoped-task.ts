import { Task } from './task.ts';

/** A task that is stopped at the end of the scope in which it was declared by `await using`. */
export class ScopedTask extends Task implements AsyncDisposable {
  /**
   * Stops the task whole, within its own grace. Nothing happens to one that has ended with nothing left. No caller gets
   * the result, so the completion stays pending.
   * @throws OutliveError as `kill` does.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill({ ack: false });
  }
}
