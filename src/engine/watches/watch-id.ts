import { crypto } from '../../util/crypto.ts';

/**
 * The id of a watch, the same for every caller that asks for this pattern: it is opened once, and any of them ends it.
 * @param once whether it ends with its first match.
 */
export function watchIdOf(pattern: string, once = false): string {
  const hash = crypto().createHash('sha256').update(pattern).digest('hex').slice(0, 16);
  return `re-${hash}${once ? '-once' : ''}`;
}
