// The shim with AddressSanitizer and UBSan. A report ends the process that it is about, and stands in a file.
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { compileForDebugging } from './compilers.mjs';

const folder = 'build/native/debug';
const reportFolder = `${folder}/reports`;

/** Compiles it, and forgets what an earlier one has reported. Its path. */
export function buildSanitized() {
  const file = resolve(folder, 'outlive-shim');
  rmSync(reportFolder, { recursive: true, force: true });
  mkdirSync(reportFolder, { recursive: true });
  // Some tests run shims of other users.
  chmodSync(reportFolder, 0o1777);
  compileForDebugging(file, resolve(reportFolder, 'report'));
  return file;
}

/** What the sanitizers have reported since then, one text a process; it is forgotten. */
export function takeReports() {
  mkdirSync(reportFolder, { recursive: true });
  const paths = readdirSync(reportFolder).map((name) => join(reportFolder, name));
  const reports = paths.map((path) => `${path}:\n${readFileSync(path, 'utf8')}`);
  for (const path of paths) rmSync(path);
  return reports;
}
