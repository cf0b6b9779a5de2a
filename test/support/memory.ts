import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** Whether a text is anywhere in what a process can read of its own memory. Needs the rights of root, or one's own. */
export function isInMemory(pid: number, text: string): boolean {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    return readFileSync(`/proc/${pid}/maps`, 'utf8')
      .split('\n')
      .some((line) => {
        const [, from = '', to = ''] = /^([0-9a-f]+)-([0-9a-f]+) r.*?(?<!\[v\w+\])$/.exec(line) ?? [];
        if (from === '') return false;
        const begin = Number.parseInt(from, 16);
        const content = Buffer.alloc(Number.parseInt(to, 16) - begin);
        readSync(memory, content, 0, content.length, begin);
        return content.includes(text);
      });
  } finally {
    closeSync(memory);
  }
}
