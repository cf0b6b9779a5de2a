import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync } from 'node:fs';
import { quote, type World } from './world.ts';

/** FS_IOC_SHUTDOWN, and that it is to happen without writing anything. */
const [shutdown, atOnce] = [0x8004587d, 2];

/**
 * A file system of a world's own that can be made to fail: then each call that reads, writes or opens something on it
 * says EIO. Needs the rights of root.
 */
export class FailingDisk implements Disposable {
  /** Where it is mounted. */
  readonly dir: string;

  constructor(world: World) {
    const image = `${world.base}/image`;
    this.dir = `${world.base}/disk`;
    mkdirSync(this.dir);
    const descriptor = openSync(image, 'wx');
    ftruncateSync(descriptor, 16 * 1024 * 1024);
    closeSync(descriptor);
    execFileSync('mkfs.ext4', ['-q', image]);
    execFileSync('mount', ['-o', 'loop', image, this.dir]);
  }

  /** From now on. */
  fail(): void {
    const call = `import fcntl, os; fcntl.ioctl(os.open(${quote(this.dir)}, 0), ${shutdown}, (${atOnce}).to_bytes(4, 'little'))`;
    execFileSync('python3', ['-c', call]);
  }

  [Symbol.dispose](): void {
    execFileSync('umount', ['--lazy', this.dir]);
  }
}
