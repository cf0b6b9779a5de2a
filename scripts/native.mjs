// The native shim: see CONTRIBUTING.md.
//   node scripts/native.mjs            compiles it for this machine, and puts it where the compiled JavaScript looks
//   node scripts/native.mjs --renew    builds native/prebuilt/ again: on Linux for Linux, on a Mac for macOS
//   node scripts/native.mjs --verify   checks native/prebuilt/ against the sources
//   node scripts/native.mjs --debug    compiles it with symbols and sanitizers, to be named in OUTLIVE_SHIM
//   node scripts/native.mjs --reports  prints what the sanitizers of that one have reported, and forgets it
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostTarget } from './native/compilers.mjs';
import { placeShims } from './native/place.mjs';
import { renew, sha256, verify } from './native/prebuilt.mjs';
import { buildSanitized, takeReports } from './native/sanitized.mjs';

process.chdir(join(dirname(fileURLToPath(import.meta.url)), '..'));
const [option = '--compile', ...others] = process.argv.slice(2);
const actions = {
  '--compile': place,
  '--renew': renew,
  '--verify': verify,
  '--debug': debug,
  '--reports': report,
};
if (!Object.hasOwn(actions, option) || others.length > 0) {
  console.error(
    `native.mjs: expected nothing or one of --renew, --verify, --debug, --reports; found ${process.argv.slice(2).join(' ')}`,
  );
  process.exit(2);
}
try {
  process.exitCode = actions[option]();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

function place() {
  const content = placeShims({ compiled: true }).get(hostTarget);
  console.log(
    content === undefined
      ? 'nothing is built on Windows: a batch file runs the tasks there'
      : `${hostTarget}: ${content.length} bytes, ${sha256(content)}`,
  );
  return 0;
}

function debug() {
  console.log(`OUTLIVE_SHIM=${buildSanitized()}`);
  return 0;
}

function report() {
  const reports = takeReports();
  if (reports.length > 0) console.error(reports.join('\n'));
  return reports.length === 0 ? 0 : 1;
}
