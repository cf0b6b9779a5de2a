import type { ServerResponse } from 'node:http';
import type { StoreTask } from '../api/store-task.ts';
import { roomIn } from '../web/room-in.ts';
import { commonHeaders } from './page-files.ts';
import type { StreamName } from './protocol.ts';

/** How much it reads at a time, in bytes. */
const stretchBytes = 256 * 1024;

/** Sends the output of a task as it is now, byte for byte, at the pace of the client that downloads it. */
export async function sendDownload(
  task: StoreTask,
  stream: StreamName,
  response: ServerResponse,
): Promise<void> {
  const end = (await task.read({ maxBytes: 1, stream })).size;
  response.writeHead(200, {
    ...commonHeaders,
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename="${task.id}-${stream}.log"`,
  });
  for (let offset = 0; offset < end && !response.destroyed; ) {
    const chunk = await task.read({ offset, maxBytes: Math.min(stretchBytes, end - offset), stream });
    if (chunk.nextOffset <= offset || chunk.bytes.length === 0) break;
    offset = chunk.nextOffset;
    if (!response.write(chunk.bytes)) await roomIn(response);
  }
  response.end();
}
