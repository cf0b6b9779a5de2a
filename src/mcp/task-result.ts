import type { TaskSnapshot } from '../model/snapshot.ts';
import { type CallResult, callResult } from './call-result.ts';
import type { Desk } from './desk.ts';
import { resultOf } from './tools/run.ts';
import { outputUri } from './uris.ts';

/** What the call of `run` gives once its task has ended: the answer, and a link to the whole output. */
export async function taskResult(desk: Desk, snapshot: TaskSnapshot): Promise<CallResult> {
  const result = callResult(await resultOf(desk, snapshot));
  const link = {
    type: 'resource_link',
    uri: outputUri(snapshot.taskId),
    name: `output of ${snapshot.name ?? snapshot.taskId}`,
    mimeType: 'text/plain',
  };
  return { ...result, content: [...result.content, link] } as CallResult;
}
