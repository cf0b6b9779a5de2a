import { test } from 'node:test';

/** A test of what there is only on Windows; elsewhere it is none. */
export function windowsTest(name: string, work: () => Promise<void>): void {
  if (process.platform === 'win32') test(name, work);
}
