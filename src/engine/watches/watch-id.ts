import { crypto } from '../../util/crypto.ts';

/**
 * The id of a watch that whoever asks for the same pattern means: it is opened once, and ended by any of them.
 * @param once whether it ends with its first match.
 */
export function watchIdOf(pattern: string, once = false): string {
  const hash = crypto().createHash('sha256').update(pattern).digest('hex').slice(0, 16);
  return `re-${hash}${once ? '-once' : ''}`;
}
