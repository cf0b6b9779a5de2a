import { readFileSync, statSync } from 'node:fs';
import { tolerate } from '../../errors/expected.ts';
import { unseen } from './proc.ts';

/** Where systemd, or D-Bus before it, keeps the id that a machine has from its installation on. */
const files = ['/etc/machine-id', '/var/lib/dbus/machine-id'];

/**
 * The id of the machine that this Linux was installed on; null if it has none that lasts longer than a boot. The id in
 * a container comes from its image, so the caller asks only outside of containers.
 */
export function readMachineId(): string | null {
  for (const file of files) {
    try {
      const id = readFileSync(file, 'latin1').trim();
      if (/^(?!0+$)[0-9a-f]{32}$/.test(id)) return isOfThisBoot(file) ? null : id;
    } catch (error) {
      // This one is not there, or not for us.
      tolerate(error, unseen, 'reading the id of the machine');
    }
  }
  return null;
}

/** On a system without a disk to keep it on, systemd puts a file of /run in its place, anew at each boot. */
function isOfThisBoot(file: string): boolean {
  const [found, run, root] = [file, '/run', '/'].map((path) => statSync(path).dev);
  return found === run && run !== root;
}
