import { isFleetReference } from '../model/fleet-reference.ts';
import type { TaskStatus } from '../model/words.ts';

/**
 * The protocol between a page and the server of `outlive ui` over a WebSocket: JSON messages, and binary messages for
 * the output of a terminal. The page opens channels, each with its own number and one request; the server answers on
 * them. The codec and the version are here, a frozen sample is in test/compat/ui.
 */
export const protocolVersion = 1;

/** The name of the WebSocket's protocol. */
export const protocolName = `outlive.ui.${protocolVersion}`;

/** The server stops sending data when the page has not yet taken this much: characters of text messages, and bytes. */
export const creditBytes = 256 * 1024;

/** The largest message of a page, in bytes. A selection of 10,000 tasks fits in it. */
export const mostMessageBytes = 256 * 1024;

/** How many channels a page may have open at once. */
export const mostChannels = 32;

export type StreamName = 'stdout' | 'stderr';

/** Which lines the page asks for, from an offset: those after it, those before it, or those around it. */
export type LinesWhere = 'behind' | 'before' | 'around';

export type Action = 'stop' | 'acknowledge' | 'prune' | 'restart';

/** What a page asks for when it opens a channel. */
export type Request =
  | { readonly kind: 'tasks'; readonly usage: boolean }
  | { readonly kind: 'task'; readonly taskId: string }
  | {
      readonly kind: 'lines';
      readonly taskId: string;
      readonly stream: StreamName;
      readonly where: LinesWhere;
      readonly offset: number;
    }
  | {
      readonly kind: 'follow';
      readonly taskId: string;
      readonly stream: StreamName;
      readonly offset: number;
    }
  | {
      readonly kind: 'search';
      readonly taskId: string;
      readonly stream: StreamName;
      readonly pattern: string;
      readonly isRegexp: boolean;
      readonly ignoreCase: boolean;
      readonly offset: number;
    }
  | { readonly kind: 'download'; readonly taskId: string; readonly stream: StreamName }
  | { readonly kind: 'act'; readonly action: Action; readonly taskIds: readonly string[] }
  | { readonly kind: 'screen'; readonly taskId: string }
  | {
      readonly kind: 'terminal';
      readonly taskId: string;
      readonly cols: number;
      readonly rows: number;
      readonly readOnly: boolean;
    };

/** The messages of a page. */
export type PageMessage =
  | { readonly type: 'open'; readonly id: number; readonly request: Request }
  | { readonly type: 'close'; readonly id: number }
  /** The page has taken so much more. */
  | { readonly type: 'credit'; readonly amount: number }
  | { readonly type: 'input'; readonly id: number; readonly text: string }
  | { readonly type: 'resize'; readonly id: number; readonly cols: number; readonly rows: number };

/** The messages of the server. */
export type ServerMessage =
  | { readonly type: 'hello'; readonly version: number; readonly readOnly: boolean; readonly store: string }
  | { readonly type: 'data'; readonly id: number; readonly data: unknown }
  /** Nothing more comes on the channel. */
  | { readonly type: 'end'; readonly id: number; readonly error: Failure | null };

export interface Failure {
  readonly code: string;
  readonly message: string;
}

/** The status of a task in the list. Only tasks on other hosts can be `revoked` or `unknown`. */
export type RowStatus = TaskStatus | 'revoked' | 'unknown';

/** A task in the list. Times are epoch milliseconds. */
export interface TaskRow {
  /** For a task on another host: `host/id`. */
  readonly taskId: string;
  /** The other host that it is on. Absent: it is on this machine. */
  readonly host?: string;
  readonly sessionId: string;
  readonly name: string | null;
  /** Its first 2,048 characters. */
  readonly command: string;
  readonly cwd: string;
  readonly status: RowStatus;
  readonly statusReason: string | null;
  readonly exitCode: number | null;
  readonly exitSignal: string | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly lastSeenAt: number | null;
  readonly bytes: number;
  readonly separate: boolean;
  readonly tty: boolean;
  readonly leftovers: number;
  readonly delivered: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

/** What comes on a channel of `tasks`: all tasks in parts, then `ready`, then every change. */
export type TasksData =
  | { readonly kind: 'tasks'; readonly tasks: readonly TaskRow[] }
  | { readonly kind: 'ready' }
  | { readonly kind: 'gone'; readonly taskId: string }
  /** Why the fleet cannot be asked just now; null: it can. */
  | { readonly kind: 'fleet'; readonly error: Failure | null }
  | {
      readonly kind: 'usage';
      /** By task id: percent of a core, bytes of memory, processes. */
      readonly usage: Readonly<Record<string, readonly [number, number, number]>>;
      /** By the id of each task that listens: its TCP ports, the lowest first. */
      readonly ports: Readonly<Record<string, readonly number[]>>;
    };

/** A line of output, or a piece of a long one. */
export interface LogLine {
  readonly offset: number;
  readonly text: string;
  /** The line goes on in the next piece, or has not ended. */
  readonly open?: true;
}

/** What comes on a channel of `lines` (once) and `follow`. */
export interface LinesData {
  readonly lines: readonly LogLine[];
  /** Where the first line begins, and where to read on. Bytes between two answers, in neither of them, are gone. */
  readonly from: number;
  readonly to: number;
  /** Bytes written so far, and the offset of the first that still exists. */
  readonly size: number;
  readonly beginsAt: number;
}

export interface Hit {
  readonly offset: number;
  readonly lineOffset: number;
  readonly line: string;
  readonly text: string;
}

/** What comes on a channel of `search`: hits as they are found, and at the end whether there may be more after `to`. */
export interface SearchData {
  readonly hits: readonly Hit[];
  readonly to: number | null;
}

/** What comes on a channel of `act`, for each task. */
export interface ActData {
  readonly taskId: string;
  readonly error: Failure | null;
  /** After a restart: the new task. */
  readonly newTaskId?: string;
}

/** What comes on a channel of `task`, once. */
export interface TaskData {
  readonly row: TaskRow;
  readonly durationMs: number | null;
  /** How its status is known, in sentences. */
  readonly how: readonly string[];
  readonly facts: readonly { readonly at: number | null; readonly fact: string; readonly text: string }[];
  readonly processes: readonly {
    readonly pid: number;
    readonly parent: number | null;
    readonly command: string;
  }[];
  readonly ports: readonly { readonly port: number; readonly address: string }[];
  /** Names and values, as people read them. */
  readonly limits: readonly (readonly [string, string])[];
  readonly about: readonly (readonly [string, string])[];
}

/** A message of bytes: the number of its channel, then what the terminal gets. */
export function encodeBytes(id: number, bytes: Uint8Array): Uint8Array {
  const message = new Uint8Array(4 + bytes.length);
  new DataView(message.buffer).setUint32(0, id);
  message.set(bytes, 4);
  return message;
}

/** Decodes a message of {@link encodeBytes}. */
export function decodeBytes(message: ArrayBuffer): { readonly id: number; readonly bytes: Uint8Array } {
  return { id: new DataView(message).getUint32(0), bytes: new Uint8Array(message, 4) };
}

/** @returns null if it is not a message that a page of this version sends. */
export function decodePageMessage(text: string): PageMessage | null {
  const message = fields(parsed(text));
  const { type, id } = message;
  if (type === 'credit') return isWhole(message.amount) ? { type, amount: message.amount } : null;
  if (!isWhole(id)) return null;
  if (type === 'close') return { type, id };
  if (type === 'input' && typeof message.text === 'string') return { type, id, text: message.text };
  if (type === 'resize' && isSize(message.cols) && isSize(message.rows))
    return { type, id, cols: message.cols, rows: message.rows };
  if (type !== 'open') return null;
  const request = decodeRequest(fields(message.request));
  return request === null ? null : { type, id, request };
}

/** Encodes a message of a page. */
export function encodePageMessage(message: PageMessage): string {
  return JSON.stringify(message);
}

/** Encodes a message of the server. */
export function encodeServerMessage(message: ServerMessage): string {
  return JSON.stringify(message);
}

/** Decodes a message of the server without checks: the page trusts its server, which has the same version. */
export function decodeServerMessage(text: string): ServerMessage {
  return JSON.parse(text);
}

const actions: readonly unknown[] = ['stop', 'acknowledge', 'prune', 'restart'] satisfies readonly Action[];
const places: readonly unknown[] = ['behind', 'before', 'around'] satisfies readonly LinesWhere[];

function decodeRequest(asked: Record<string, unknown>): Request | null {
  const { kind, taskId, stream, offset } = asked;
  if (kind === 'tasks') return typeof asked.usage === 'boolean' ? { kind, usage: asked.usage } : null;
  if (kind === 'act') return decodeAct(asked);
  if (!isTaskId(taskId)) return null;
  if (kind === 'task' || kind === 'screen') return { kind, taskId };
  if (kind === 'terminal') {
    const { cols, rows, readOnly } = asked;
    if (!isSize(cols) || !isSize(rows) || typeof readOnly !== 'boolean') return null;
    return { kind, taskId, cols, rows, readOnly };
  }
  if (stream !== 'stdout' && stream !== 'stderr') return null;
  if (kind === 'download') return { kind, taskId, stream };
  if (!isWhole(offset)) return null;
  if (kind === 'follow') return { kind, taskId, stream, offset };
  if (kind === 'lines' && places.includes(asked.where))
    return { kind, taskId, stream, where: asked.where as LinesWhere, offset };
  return kind === 'search' ? decodeSearch(asked, { kind, taskId, stream, offset }) : null;
}

function decodeSearch(
  { pattern, isRegexp, ignoreCase }: Record<string, unknown>,
  rest: { kind: 'search'; taskId: string; stream: StreamName; offset: number },
): Request | null {
  if (typeof pattern !== 'string' || typeof isRegexp !== 'boolean' || typeof ignoreCase !== 'boolean')
    return null;
  return { ...rest, pattern, isRegexp, ignoreCase };
}

function decodeAct({ action, taskIds }: Record<string, unknown>): Request | null {
  if (!actions.includes(action) || !Array.isArray(taskIds) || !taskIds.every(isTaskId)) return null;
  return { kind: 'act', action: action as Action, taskIds };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Whether a value can be the rows or columns of a terminal. */
function isSize(value: unknown): value is number {
  return isWhole(value) && value >= 1 && value <= 1000;
}

function isTaskId(value: unknown): value is string {
  return typeof value === 'string' && (/^bgb-[0-9a-f]{12}$/.test(value) || isFleetReference(value));
}
