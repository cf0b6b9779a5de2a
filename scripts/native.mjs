// The native shim: see CONTRIBUTING.md.
//   node scripts/native.mjs            compiles it for this machine, and puts it where the compiled JavaScript looks
//   node scripts/native.mjs --renew    builds native/prebuilt/ again: on Linux for Linux, on a Mac for macOS
//   node scripts/native.mjs --verify   checks native/prebuilt/ against the sources
//   node scripts/native.mjs --debug    compiles it with symbols and sanitizers, to be named in OUTLIVE_SHIM
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile, hostTarget } from './native/compilers.mjs';
import { placeShims } from './native/place.mjs';
import { renew, sha256, verify } from './native/prebuilt.mjs';

process.chdir(join(dirname(fileURLToPath(import.meta.url)), '..'));
const [option = '--compile', ...others] = process.argv.slice(2);
const actions = { '--compile': place, '--renew': renew, '--verify': verify, '--debug': debug };
if (!Object.hasOwn(actions, option) || others.length > 0) {
  console.error(
    `native.mjs: expected nothing or one of --renew, --verify, --debug; found ${process.argv.slice(2).join(' ')}`,
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

/** By cc: there are no sanitizers for a static musl. */
function debug() {
  const file = resolve('build/native/debug/outlive-shim');
  compile({ command: 'cc', link: [] }, hostTarget, file, { debug: true });
  console.log(`OUTLIVE_SHIM=${file}`);
  return 0;
}
