import type { WaitForResult } from '../../engine/wait/wait-for-options.ts';
import { sayDuration, sayMatch } from './present.ts';

/** What ended a wait: the text before the end of the output. */
export function sayCause(
  { cause, match }: Pick<WaitForResult, 'cause' | 'match'>,
  timeoutMs: number,
): string {
  switch (cause) {
    case 'exit':
      return '';
    case 'pattern':
      return `The pattern matches this line:\n${match === null ? '' : sayMatch(match)}\nThe end of its output:\n`;
    case 'port':
      return 'It takes connections at the port.\n';
    case 'idle':
      return 'It has written nothing for that long.\n';
    case 'screen':
      return 'The pattern matches on the screen.\n';
    case 'input':
      return 'It waits for input.\n';
    case 'timeout':
      return `It still runs after ${sayDuration(timeoutMs)} of waiting. You will be told when it ends.\n`;
  }
}
