import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { endianness } from 'node:os';
import { tolerate } from '../errors/expected.ts';
import { ipAddress } from './ip-address.ts';
import { unseen } from './linux/proc.ts';
import { windowsListeners } from './windows/sockets.ts';

/** A socket that takes TCP connections. */
export interface ListeningSocket {
  readonly port: number;
  /** The address that it takes them at: `0.0.0.0` and `::` are all. */
  readonly address: string;
  /** The kernel's number of the socket; on Windows the pid of its owner stands for it. */
  readonly inode: number;
}

const onWindows = process.platform === 'win32';

/** TCP_LISTEN of the kernel, as /proc/net/tcp has it. */
const listening = '0A';

/** Every listening TCP socket of this network namespace; null where the system does not list them (macOS). */
export function listeningSockets(): ListeningSocket[] | null {
  if (onWindows) return windowsListeners();
  const tables = ['/proc/self/net/tcp', '/proc/self/net/tcp6'].map(read);
  if (tables[0] === null) return null;
  return tables.flatMap((table) => parseSockets(table ?? ''));
}

/** The listening sockets of a table such as /proc/net/tcp. */
export function parseSockets(table: string): ListeningSocket[] {
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
    const [address = '', port = ''] = local.split(':');
    if (state !== listening) return [];
    return [{ port: Number.parseInt(port, 16), address: addressOf(address), inode: Number(inode) }];
  });
}

/** The sockets that a process has open; none when that cannot be read. */
export function socketsOf(pid: number): number[] {
  if (onWindows) return [pid];
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).flatMap((name) => {
      const match = /^socket:\[(\d+)\]$/.exec(linkOf(`${folder}/${name}`));
      return match === null ? [] : [Number(match[1])];
    });
  } catch (error) {
    // Gone meanwhile, or another user's.
    tolerate(error, unseen, 'checking the sockets of a process');
    return [];
  }
}

/** The kernel prints each 32 bits of an address as a number of the machine's own byte order. */
function addressOf(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => {
    const found = [...Buffer.from(word, 'hex')];
    return endianness() === 'LE' ? found.reverse() : found;
  });
  return ipAddress(bytes);
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch (error) {
    tolerate(error, unseen, 'checking a socket of a process');
    return '';
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    tolerate(error, unseen, 'reading the list of sockets');
    return null;
  }
}
