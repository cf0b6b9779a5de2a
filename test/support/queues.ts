import { quote } from './world.ts';

/** A command that notes in a file when it starts and when it ends. */
export function tracing(trace: string, name: number | string, between = 'sleep 0.02'): string {
  const note = (word: string): string => `echo ${word} ${name} >>${quote(trace)}`;
  return `${note('start')}; ${between}; ${note('end')}`;
}

/** What such commands noted: the names in the order of their starts, and how many ran at the same time at most. */
export function startOrder(trace: string): { order: string[]; mostAtOnce: number } {
  const order: string[] = [];
  let [running, mostAtOnce] = [0, 0];
  for (const line of trace.split('\n').filter(Boolean)) {
    const [word, name = ''] = line.split(' ');
    running += word === 'start' ? 1 : -1;
    mostAtOnce = Math.max(mostAtOnce, running);
    if (word === 'start') order.push(name);
  }
  return { order, mostAtOnce };
}
