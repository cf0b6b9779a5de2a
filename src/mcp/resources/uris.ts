import { taskIdPattern } from '../../tasklog/paths.ts';

const prefix = 'outlive://tasks/';

/** The address of a task as a resource. */
export function taskUri(taskId: string): string {
  return `${prefix}${taskId}`;
}

/** The address of a task's output as a resource. */
export function outputUri(taskId: string): string {
  return `${prefix}${taskId}/output`;
}

/** What an address is of; null when it is none of ours. */
export function parseUri(uri: string): { taskId: string; isOutput: boolean } | null {
  if (!uri.startsWith(prefix)) return null;
  const [taskId = '', part, ...rest] = uri.slice(prefix.length).split('/');
  const known = part === undefined || part === 'output';
  return taskIdPattern.test(taskId) && known && rest.length === 0
    ? { taskId, isOutput: part === 'output' }
    : null;
}
