/** The longest path of a folder that a process of Windows can be started in; cmd takes no longer one of a file. */
export const longestWindowsPath = 258;

/** Whether a path is one of a share of the network (`\\server\share`); of a drive letter that stands for one, nobody says so. */
export function isShare(path: string): boolean {
  return process.platform === 'win32' && /^[\\/]{2}(?:[^\\/?.]|\?[\\/]UNC[\\/])/i.test(path);
}
