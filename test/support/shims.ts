import { chmodSync, writeFileSync } from 'node:fs';
import { builtShim } from './shim.ts';
import type { World } from './world.ts';
import { fixturePath, quote } from './world.ts';

/**
 * A program that ends as the shim's launcher does, and then becomes the shim that it is called for, after some text of
 * shell. To be named by OUTLIVE_SHIM.
 * @param before words in front of the shim's.
 */
export function shimAfter(world: World, text: string, before = ''): string {
  const path = `${world.base}/shim-${Math.random().toString(16).slice(2)}`;
  // A doorbell is asked for in the foreground.
  const real = `exec ${before} ${quote(builtShim)} "$@"`;
  writeFileSync(path, `#!/bin/sh\n[ $# -eq 1 ] && [ "$1" != orphan ] || ${real}\n(${text}\n${real}) &\n`);
  chmodSync(path, 0o755);
  return path;
}

/** One that waits until a file is there: stands for a machine that is short of memory. */
export function gatedShim(world: World, gate: string): string {
  return shimAfter(world, `until [ -e ${quote(gate)} ]; do sleep 0.05; done`);
}

/** One that takes a while. */
export function slowShim(world: World): string {
  return shimAfter(world, 'sleep 3');
}

/** One that starts the shim where there is no /proc to be seen. */
export function shimWithoutProc(world: World): string {
  return shimAfter(world, '', `sh ${quote(fixturePath('hides-proc.sh'))}`);
}

/** One that starts a shim which holds no limits, as that of Windows. Lengths must stay the same in a request. */
export function shimWithoutLimits(world: World): string {
  const zeros = ':a; s/((timeoutMs|maxOutputBytes)=0*)[1-9]/\\10/; ta';
  const unbound = 's/:boundPid=/:graceMs=0/';
  const request = `$(printf %s "$OUTLIVE_REQUEST" | sed -E '${zeros}; ${unbound}')`;
  return shimAfter(world, `export OUTLIVE_REQUEST="${request}"`);
}

/** Shims of this process are started by a program, until it is disposed of. */
export class ShimInPlace implements Disposable {
  readonly #before = process.env.OUTLIVE_SHIM;

  constructor(path: string) {
    process.env.OUTLIVE_SHIM = path;
  }

  [Symbol.dispose](): void {
    if (this.#before === undefined) delete process.env.OUTLIVE_SHIM;
    else process.env.OUTLIVE_SHIM = this.#before;
  }
}
