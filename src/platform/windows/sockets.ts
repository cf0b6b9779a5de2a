import { ipAddress } from '../ip-address.ts';
import { native } from './native.ts';

/** TCP_TABLE_OWNER_PID_LISTENER. */
const listenersWithOwners = 3;

/** Address families, and how a row of the table of each is laid out: MIB_TCPROW_OWNER_PID and MIB_TCP6ROW_OWNER_PID. */
const families = [
  { family: 2, bytes: 24, address: 4, addressBytes: 4, port: 8, pid: 20 },
  { family: 23, bytes: 56, address: 0, addressBytes: 16, port: 20, pid: 52 },
] as const;

type Layout = (typeof families)[number];

/** A table begins with the number of its rows. */
const countBytes = 4;

/** The table may grow between the query of its size and the query of its rows. This is how often it asks again. */
const attempts = 4;

/** A socket that takes TCP connections. It has no number that others can see: the pid of its owner stands for it. */
export interface WindowsListener {
  readonly port: number;
  readonly address: string;
  readonly inode: number;
}

/** Every listening TCP socket of this machine; null when the system does not tell. */
export function windowsListeners(): WindowsListener[] | null {
  const tables = families.map((layout) => readTable(layout.family));
  if (tables.every((table) => table === null)) return null;
  return families.flatMap((layout, at) => rowsOf(tables[at] ?? null, layout));
}

function rowsOf(table: Buffer | null, layout: Layout): WindowsListener[] {
  if (table === null) return [];
  return Array.from({ length: table.readUInt32LE(0) }, (_, at) => {
    const row = table.subarray(countBytes + at * layout.bytes, countBytes + (at + 1) * layout.bytes);
    return {
      port: row.readUInt16BE(layout.port),
      address: ipAddress([...row.subarray(layout.address, layout.address + layout.addressBytes)]),
      inode: row.readUInt32LE(layout.pid),
    };
  });
}

function readTable(family: number): Buffer | null {
  const api = native();
  if (api === null) return null;
  const size = Buffer.alloc(4);
  let table: Buffer | null = null;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const failed = api.GetExtendedTcpTable(table, size, 0, family, listenersWithOwners, 0);
    if (failed === 0 && table !== null) return table;
    table = Buffer.alloc(Math.max(size.readUInt32LE(0), countBytes));
  }
  return null;
}
