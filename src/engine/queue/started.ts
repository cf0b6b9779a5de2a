import type { StartedFact } from '../../model/facts.ts';
import { now } from '../../platform/clock.ts';

/** What is recorded of a wrapper that is about to run, by the process that lets it run: it says nothing by itself. */
export function startedNow(pid: number, start: number | null): StartedFact {
  const { epochMs, monoMs } = now();
  return {
    fact: 'started',
    pid,
    start,
    shimPid: pid,
    shimStart: start,
    at: epochMs,
    monoMs,
    subreaper: false,
  };
}
