// A network and a /tmp of its own for a command: it reaches nothing but loopback, and what agents leave in /tmp goes with it.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';

/** The folder that is hidden. */
const hidden = '/tmp';

// Folders below the hidden one are bound into the new one before that takes its place. Arguments: where the new one is made, these
// folders, `--`, the command.
const script = `
  { ip link set lo up || busybox ip link set lo up; } 2>/dev/null || exit
  new=$1; shift
  mount -t tmpfs tmpfs "$new" || exit
  while [ "$1" != -- ]; do
    at=$new/\${1#${hidden}/}
    mkdir -p "$at" && mount --rbind "$1" "$at" || exit
    shift
  done
  shift
  mount --move "$new" ${hidden} && cd "$PWD" && exec "$@"`;

/**
 * The command with these, or null where this user may not make them.
 * @param kept folders that the command needs, wherever they are.
 * @param scratch a folder for the mount, which is empty for everybody else.
 */
export function alone(words, kept, scratch) {
  const made = join(scratch, 'tmp');
  mkdirSync(made, { recursive: true });
  const rights = process.getuid?.() === 0 ? [] : ['--map-current-user', '--keep-caps'];
  const inside = ['unshare', '--net', '--mount', ...rights, 'sh', '-c', script, 'sh', made];
  const all = [...inside, ...kept.filter(isHidden), '--'];
  const [program, ...args] = [...all, 'true'];
  return spawnSync(program, args).status === 0 ? [...all, ...words] : null;
}

function isHidden(path) {
  const way = relative(hidden, path);
  return way !== '' && !way.startsWith('..');
}
