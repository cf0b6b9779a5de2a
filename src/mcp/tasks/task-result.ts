import type { TaskSnapshot } from '../../model/snapshot.ts';
import type { ClientSession } from '../../tools/delivery/client-session.ts';
import { resultOf } from '../../tools/run.ts';
import { oneLine } from '../../tools/text/data.ts';
import { outputUri } from '../resources/uris.ts';
import { type CallResult, callResult } from '../tools/call-result.ts';

/** What the call of `run` gives once its task has ended: the answer, and a link to the whole output. */
export async function taskResult(
  clientSession: ClientSession,
  snapshot: TaskSnapshot,
  structured: boolean,
): Promise<CallResult> {
  const answer = await resultOf(clientSession.session.task(snapshot.taskId), snapshot);
  const result = callResult(answer, structured);
  const link = {
    type: 'resource_link',
    uri: outputUri(snapshot.taskId),
    name: `output of ${oneLine(snapshot.name ?? snapshot.taskId)}`,
    mimeType: 'text/plain',
  };
  return { ...result, content: [...result.content, link] } as CallResult;
}
