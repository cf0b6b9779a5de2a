import { OutliveError } from '../../errors/error.ts';
import { visible } from '../../util/visible.ts';
import { exitStatus, statusOfError } from '../exit-status.ts';
import { inFlags } from '../flags.ts';
import type { Io } from '../io.ts';
import { listsEnded, type PsFilter } from '../ps-filter.ts';
import type { Address } from './address.ts';
import { callThere, type RemoteCall } from './call.ts';

/** How a call to one of several machines is made. */
type CallOf = (
  address: Address,
  out: (bytes: Buffer) => Promise<void>,
  words: readonly string[],
) => RemoteCall;

/** What came of one machine. */
interface Listed {
  readonly address: Address;
  readonly lines: readonly string[];
  /** Null: it has answered. */
  readonly error: unknown;
  readonly status: number;
}

interface ListedVerb {
  readonly words: readonly string[];
  readonly options: PsFilter;
}

/** No list has more. Without this bound a machine could send without end. */
const mostBytes = 64 * 1024 * 1024;

/**
 * `outlive ps` of several machines, which it asks at the same time. A machine that does not answer has a row of its
 * own, and the exit status is that of its failure; the list still has the others.
 */
export async function listHosts(
  io: Io,
  addresses: readonly Address[],
  verb: ListedVerb,
  callOf: CallOf,
): Promise<number> {
  const listed = await Promise.all(addresses.map(async (address) => await listHost(address, verb, callOf)));
  if (io.json) for (const one of listed) await io.out(jsonOf(one));
  else await printRows(io, listed, verb.options);
  for (const { address, error } of listed)
    if (error !== null && !io.json) io.note(`${address.shown}: ${inFlags(messageOf(error))}`);
  return listed.find(({ status }) => status !== exitStatus.ok)?.status ?? exitStatus.ok;
}

async function listHost(address: Address, { words }: ListedVerb, callOf: CallOf): Promise<Listed> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  const take = async (piece: Buffer): Promise<void> => {
    bytes += piece.length;
    if (bytes > mostBytes) throw tooMuch(address);
    pieces.push(piece);
  };
  try {
    const status = await callThere(callOf(address, take, words));
    if (status !== exitStatus.ok) throw refused(address, status);
    const lines = Buffer.concat(pieces).toString().split('\n').slice(0, -1);
    return { address, lines, error: null, status };
  } catch (error) {
    if (!(error instanceof OutliveError)) throw error;
    return { address, lines: [], error, status: statusOfError(error) };
  }
}

function tooMuch({ shown }: Address): OutliveError {
  return new OutliveError(
    'HOST_PROGRAM',
    `expected a list from ${shown} of at most ${mostBytes} bytes; found more. Ask that machine alone`,
    { details: { host: shown } },
  );
}

function refused({ shown, url }: Address, status: number): OutliveError {
  return new OutliveError(
    'HOST_PROGRAM',
    `expected a list from ${shown}; found that ps failed there with ${status}. See: outlive --host ${url} ps`,
    { details: { host: shown } },
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A task a line, with its machine in front. It ignores lines that are not snapshots. */
function jsonOf({ address, lines, error }: Listed): string {
  if (error instanceof OutliveError)
    return `${JSON.stringify({ host: address.shown, error: { code: error.code, message: error.message } })}\n`;
  return lines.map((line) => `${JSON.stringify({ host: address.shown, ...objectOf(line) })}\n`).join('');
}

function objectOf(line: string): object {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return { unreadable: visible(line.slice(0, 200)) };
}

async function printRows(io: Io, listed: readonly Listed[], options: PsFilter): Promise<void> {
  const { columnsOf } = await import('../present/ps-rows.ts');
  const { none, tableText } = await import('../present/table.ts');
  const own = columnsOf({ allSessions: options.allSessions === true, dates: listsEnded(options) });
  const columns = [{ heading: 'HOST', rank: 12, least: 8 }, ...own];
  const status = own.findIndex(({ heading }) => heading === 'STATUS');
  const rows = listed.flatMap(({ address, lines, error }) => {
    const silent = own.map((_column, at) => (at === status ? 'no answer' : none));
    const cells = error === null ? lines.map((line) => cellsOf(line, own.length)) : [silent];
    return cells.map((row) => [address.shown, ...row]);
  });
  if (!io.terminal) return await io.out(rows.map((row) => `${row.join('\t')}\n`).join(''));
  if (rows.length === 0) io.note('no task runs on these machines; list ended tasks with: outlive ps -a');
  else await io.out(tableText(columns, rows, io.columns));
}

/** As many cells as there are columns, whatever came. */
function cellsOf(line: string, count: number): string[] {
  const cells = line.split('\t').map(visible);
  return Array.from({ length: count }, (_, at) => cells[at] ?? '');
}
