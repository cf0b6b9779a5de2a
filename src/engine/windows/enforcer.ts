import type { SpecFact, StartedFact } from '../../model/facts.ts';
import type { Facts } from '../../model/fold.ts';
import type { ProcessIdentity } from '../../model/words.ts';
import { now } from '../../platform/clock.ts';
import { processKey } from '../../platform/system.ts';
import { after, type Timer } from '../../util/wait.ts';
import { enforce } from '../end/enforce.ts';
import type { Enforcer, LiveTask, SessionContext } from '../session/context.ts';
import { enforceBonds } from './bonds.ts';
import { OutputLimits } from './output-limits.ts';
import type { Sentinel } from './sentinel.ts';

/** Makes the limits of a session's live tasks hold while this process supervises them. */
export class WindowsEnforcer implements Enforcer {
  readonly #context: SessionContext;
  readonly #sentinel: Sentinel | null;
  readonly #outputs: OutputLimits;
  readonly #deadlines = new Map<string, Timer>();
  readonly #bonds = new Map<string, ProcessIdentity>();

  /** @param sentinel who makes them hold after this process; null for the keeper itself. */
  constructor(context: SessionContext, sentinel: Sentinel | null) {
    this.#context = context;
    this.#sentinel = sentinel;
    this.#outputs = new OutputLimits(context);
  }

  include(live: LiveTask, { spec, started, stop }: Facts): void {
    if (spec === undefined) return;
    if (processKey(spec.by) === processKey(this.#context.store.system.self())) this.#sentinel?.want();
    this.#outputs.include(live.id, spec);
    if (spec.bindTo !== null && spec.bindTo !== 'session') this.#bonds.set(live.id, spec.bindTo);
    // The time of a task that waits for its turn counts from its start.
    if (stop === undefined && !live.awaitsStart) this.#armDeadline(live.id, spec, started);
  }

  drop(taskId: string): void {
    this.#deadlines.get(taskId)?.cancel();
    this.#deadlines.delete(taskId);
    this.#bonds.delete(taskId);
    this.#outputs.drop(taskId);
  }

  poll(): void {
    enforceBonds(this.#context, this.#bonds);
  }

  close(): void {
    for (const deadline of this.#deadlines.values()) deadline.cancel();
    this.#outputs.close();
    const shims = [...this.#context.live.values()].flatMap(({ shim }) => (shim === null ? [] : [shim.pid]));
    this.#sentinel?.leave(shims);
  }

  /** By the record: what has passed since the start has passed. */
  #armDeadline(taskId: string, spec: SpecFact, started: StartedFact | undefined): void {
    this.#deadlines.get(taskId)?.cancel();
    if (spec.timeoutMs === null) return;
    const elapsed = started?.monoMs == null ? 0 : now().monoMs - started.monoMs;
    const deadline = after(spec.timeoutMs - elapsed, () => enforce(this.#context, taskId, 'timeout'));
    this.#deadlines.set(taskId, deadline);
  }
}
