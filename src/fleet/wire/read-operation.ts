import { mostFollowMs, mostReadBytes } from './control.ts';
import { type Fields, wireFields } from './fields.ts';
import { hostForm, taskForm } from './names.ts';
import type {
  AcknowledgeRequest,
  CompletionsRequest,
  FollowRequest,
  HostRequest,
  KillRequest,
  ListRequest,
  ReadRequest,
  ResizeRequest,
  RunRequest,
  SendRequest,
  ShowRequest,
  ViewRequest,
  WaitRequest,
} from './operations.ts';
import { readAttemptName, readPlacement, readSpec } from './read-assignment.ts';
import { readSize, readTyped, readView } from './terminal.ts';

const mostWaitMs = 60_000;
const mostStartByMs = 365 * 24 * 3_600_000;
const mostRedispatches = 100;

// Each of these functions reads the body of a client's request. It throws an OutliveError `FLEET_FORGED` if it is not
// valid.

export function readRun(body: unknown): RunRequest {
  const fields = wireFields(body, 'a request to run').versioned();
  return {
    v: fields.whole('v'),
    request: fields.formed('request', /^.{1,100}$/s),
    spec: readSpec(fields.raw('spec')),
    placement: readPlacement(fields.raw('placement')),
    startByMs: fields.wholeOrNull('startByMs', { most: mostStartByMs }),
    redispatch: fields.whole('redispatch', { most: mostRedispatches }),
    era: fields.textOrNull('era'),
    ...(fields.has('acceptMs') && { acceptMs: fields.whole('acceptMs', { most: mostWaitMs }) }),
  };
}

export function readList(body: unknown): ListRequest {
  const fields = wireFields(body, 'a request for a list').versioned();
  return {
    v: fields.whole('v'),
    session: fields.textOrNull('session'),
    host: fields.formedOrNull('host', hostForm),
    after: fields.formedOrNull('after', taskForm),
    most: fields.whole('most', { least: 1, most: 500 }),
  };
}

export function readShow(body: unknown): ShowRequest {
  return readOfTask(wireFields(body, 'a request to show a task').versioned());
}

export function readWait(body: unknown): WaitRequest {
  const fields = wireFields(body, 'a request to wait').versioned();
  const until = fields.oneOf('until', ['accepted', 'ended']);
  return { ...readOfTask(fields), until, waitMs: fields.whole('waitMs', { most: mostWaitMs }) };
}

export function readKill(body: unknown): KillRequest {
  const fields = wireFields(body, 'a request to stop a task').versioned();
  return { ...readOfTask(fields), graceMs: fields.wholeOrNull('graceMs', { most: 3_600_000 }) };
}

export function readCompletions(body: unknown): CompletionsRequest {
  const fields = wireFields(body, 'a request for completions').versioned();
  return {
    v: fields.whole('v'),
    session: fields.text('session'),
    most: fields.whole('most', { least: 1, most: 100 }),
    waitMs: fields.whole('waitMs', { most: mostWaitMs }),
  };
}

export function readAcknowledge(body: unknown): AcknowledgeRequest {
  const fields = wireFields(body, 'an acknowledgement').versioned();
  return {
    v: fields.whole('v'),
    session: fields.text('session'),
    ends: fields.list('ends', 1_000, readAttemptName),
  };
}

export function readOfHost(body: unknown): HostRequest {
  const fields = wireFields(body, 'a request for a host').versioned();
  return { v: fields.whole('v'), host: fields.formed('host', hostForm), on: fields.flag('on') };
}

export function readRead(body: unknown): ReadRequest {
  const fields = wireFields(body, 'a request to read').versioned();
  return {
    ...readOfTask(fields),
    offset: fields.whole('offset'),
    maxBytes: fields.whole('maxBytes', { least: 1, most: mostReadBytes }),
  };
}

export function readSend(body: unknown): SendRequest {
  const fields = wireFields(body, 'a request to send').versioned();
  return { ...readOfTask(fields), ...readTyped(fields) };
}

export function readResize(body: unknown): ResizeRequest {
  const fields = wireFields(body, 'a request to resize').versioned();
  return { ...readOfTask(fields), ...readSize(fields) };
}

export function readViewRequest(body: unknown): ViewRequest {
  const fields = wireFields(body, 'a request to view').versioned();
  return { ...readOfTask(fields), ...readView(fields) };
}

export function readFollow(body: unknown): FollowRequest {
  const fields = wireFields(body, 'a request to follow').versioned();
  return {
    ...readOfTask(fields),
    offset: fields.wholeOrNull('offset'),
    forMs: fields.whole('forMs', { least: 1, most: mostFollowMs }),
  };
}

function readOfTask(fields: Fields): ShowRequest {
  return { v: fields.whole('v'), task: fields.formed('task', taskForm) };
}
