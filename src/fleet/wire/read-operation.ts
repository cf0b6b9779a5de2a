import { mostFollowMs, mostReadBytes } from './control.ts';
import { Fields } from './fields.ts';
import { isHostName, isTaskId } from './names.ts';
import type {
  AcknowledgeRequest,
  CompletionsRequest,
  FollowRequest,
  HostRequest,
  KillRequest,
  ListRequest,
  ReadRequest,
  RunRequest,
  SendRequest,
  ShowRequest,
  WaitRequest,
} from './operations.ts';
import { readAttemptName, readPlacement, readSpec } from './read-assignment.ts';

const mostWaitMs = 60_000;
const mostStartByMs = 365 * 24 * 3_600_000;
const mostRedispatches = 100;

// Each of these reads the body of a request of a client, and throws an OutliveError `FLEET_FORGED` for what it is not.

export function readRun(body: unknown): RunRequest {
  const fields = new Fields(body, 'a request to run').versioned();
  return {
    v: fields.whole('v'),
    request: fields.formed('request', (text) => text.length >= 1 && text.length <= 100),
    spec: readSpec(fields.raw('spec')),
    placement: readPlacement(fields.raw('placement')),
    startByMs: fields.wholeOrNull('startByMs', { most: mostStartByMs }),
    redispatch: fields.whole('redispatch', { most: mostRedispatches }),
    era: fields.textOrNull('era'),
  };
}

export function readList(body: unknown): ListRequest {
  const fields = new Fields(body, 'a request for a list').versioned();
  return {
    v: fields.whole('v'),
    session: fields.textOrNull('session'),
    host: fields.raw('host') === null ? null : fields.formed('host', isHostName),
    after: fields.raw('after') === null ? null : fields.formed('after', isTaskId),
    most: fields.whole('most', { least: 1, most: 500 }),
  };
}

export function readShow(body: unknown): ShowRequest {
  return readOfTask(new Fields(body, 'a request to show a task').versioned());
}

export function readWait(body: unknown): WaitRequest {
  const fields = new Fields(body, 'a request to wait').versioned();
  const until = fields.oneOf('until', ['accepted', 'ended']);
  return { ...readOfTask(fields), until, waitMs: fields.whole('waitMs', { most: mostWaitMs }) };
}

export function readKill(body: unknown): KillRequest {
  const fields = new Fields(body, 'a request to stop a task').versioned();
  return { ...readOfTask(fields), graceMs: fields.wholeOrNull('graceMs', { most: 3_600_000 }) };
}

export function readCompletions(body: unknown): CompletionsRequest {
  const fields = new Fields(body, 'a request for completions').versioned();
  return {
    v: fields.whole('v'),
    session: fields.text('session'),
    most: fields.whole('most', { least: 1, most: 100 }),
    waitMs: fields.whole('waitMs', { most: mostWaitMs }),
  };
}

export function readAcknowledge(body: unknown): AcknowledgeRequest {
  const fields = new Fields(body, 'an acknowledgement').versioned();
  return {
    v: fields.whole('v'),
    session: fields.text('session'),
    ends: fields.list('ends', 1_000, readAttemptName),
  };
}

export function readOfHost(body: unknown): HostRequest {
  const fields = new Fields(body, 'a request for a host').versioned();
  return { v: fields.whole('v'), host: fields.formed('host', isHostName), on: fields.flag('on') };
}

export function readRead(body: unknown): ReadRequest {
  const fields = new Fields(body, 'a request to read').versioned();
  return {
    ...readOfTask(fields),
    offset: fields.whole('offset'),
    maxBytes: fields.whole('maxBytes', { least: 1, most: mostReadBytes }),
  };
}

export function readSend(body: unknown): SendRequest {
  const fields = new Fields(body, 'a request to send').versioned();
  const data = Buffer.from(fields.text('data', 512 * 1_024), 'base64');
  return { ...readOfTask(fields), data, eof: fields.flag('eof') };
}

export function readFollow(body: unknown): FollowRequest {
  const fields = new Fields(body, 'a request to follow').versioned();
  return {
    ...readOfTask(fields),
    offset: fields.wholeOrNull('offset'),
    forMs: fields.whole('forMs', { least: 1, most: mostFollowMs }),
  };
}

function readOfTask(fields: Fields): ShowRequest {
  return { v: fields.whole('v'), task: fields.formed('task', isTaskId) };
}
