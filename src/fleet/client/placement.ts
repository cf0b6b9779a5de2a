import { OutliveError, shown } from '../../errors/error.ts';
import type { Placement } from '../wire/assignment.ts';
import { isHostName } from '../wire/names.ts';

/** Words that mean any host. The coordinator takes the least loaded one. */
const anywhere = new Set(['any', 'least']);

/**
 * Where a task may run: the name of a host, `any`, or labels that a host must have: `label:gpu,label:region=eu`.
 * @throws OutliveError `INVALID_ARGUMENT`.
 */
export function placementOf(text: string): Placement {
  if (anywhere.has(text)) return { host: null, labels: {} };
  if (isHostName(text)) return { host: text, labels: {} };
  const labels = text.split(',').map((one) => /^label:([^=,]+)(?:=(.*))?$/.exec(one));
  if (labels.some((label) => label === null))
    throw new OutliveError(
      'INVALID_ARGUMENT',
      `expected the name of a host, any, or labels as in label:gpu,label:region=eu; found ${shown(text)}.`,
    );
  return { host: null, labels: Object.fromEntries(labels.map((label) => [label?.[1], label?.[2] ?? null])) };
}
