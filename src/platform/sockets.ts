import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { endianness } from 'node:os';

/** A socket that takes TCP connections. */
export interface ListeningSocket {
  readonly port: number;
  /** The address that it takes them at: `0.0.0.0` and `::` are all. */
  readonly address: string;
  /** The kernel's number of the socket. */
  readonly inode: number;
}

/** TCP_LISTEN of the kernel, as /proc/net/tcp has it. */
const listening = '0A';

/** Every listening TCP socket of this network namespace; null where the system does not list them (macOS). */
export function listeningSockets(): ListeningSocket[] | null {
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
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).flatMap((name) => {
      const match = /^socket:\[(\d+)\]$/.exec(linkOf(`${folder}/${name}`));
      return match === null ? [] : [Number(match[1])];
    });
  } catch {
    // Gone meanwhile, or another user's.
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
  return bytes.length === 4 ? bytes.join('.') : shortened(bytes);
}

/** An IPv6 address in its usual form: the longest run of zeros left out. */
function shortened(bytes: readonly number[]): string {
  const isMapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  if (isMapped) return `::ffff:${bytes.slice(12).join('.')}`;
  const groups = bytes.flatMap((byte, at) => (at % 2 === 0 ? [byte * 256 + (bytes[at + 1] ?? 0)] : []));
  const text = groups.map((group) => group.toString(16)).join(':');
  const runs = text.match(/(?:^|:)0(?::0)+(?:$|:)/g) ?? [];
  const longest = runs.sort((a, b) => b.length - a.length)[0];
  return longest === undefined ? text : text.replace(longest, '::');
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}
