/**
 * Options of a test that has nothing to test on Windows, or nothing that can be tried in Wine. The reason stands in
 * docs/windows.md as well, and a test compares the two.
 */
export function notOnWindows(reason: string): { skip: string | false } {
  return { skip: process.platform === 'win32' && reason };
}
