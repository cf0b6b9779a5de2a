import { agent } from '@agentclientprotocol/sdk';
import { client as client2 } from '@agentclientprotocol/sdk/experimental/v2';
import { info, Peer } from '../acp-peers.ts';
import { exitToKnown, type Way } from '../gated.ts';
import type { Ground } from '../ground.ts';
import type { Row } from '../row.ts';

/** From the end of a command to its being known at the other side of a connection of ACP. */
export async function exitToAcp(ground: Ground): Promise<Row[]> {
  const [editor, shower] = [new Peer('acp-editor', ground.storeDir), new Peer('acp-agent', ground.storeDir)];
  const rows = await exitToKnown(ground, [
    ['an agent of ACP 1: `terminal/wait_for_exit`', waitForExit(editor)],
    ['an editor of ACP 2: `terminal_update`', await shownEnd(shower)],
  ]);
  await Promise.all([editor.close(), shower.close()]);
  return rows;
}

function waitForExit(editor: Peer): Way {
  const { client } = agent().connect(editor.stream);
  return async (gate) => {
    const terminal = await client.createTerminal({ sessionId: 'bench', command: gate.command });
    return { known: terminal.waitForExit() };
  };
}

async function shownEnd(shower: Peer): Promise<Way> {
  const ended = new Map<string, () => void>();
  const app = client2().onNotification('session/update', ({ params: { sessionId, update } }) => {
    if (update.sessionUpdate === 'terminal_update' && update.exitStatus) ended.get(sessionId)?.();
  });
  const connection = app.connect(shower.stream);
  await connection.agent.request('initialize', { protocolVersion: 2, info });
  return async (gate) => {
    const params = { cwd: '/', mcpServers: [], _meta: { command: gate.command } };
    const { sessionId } = await connection.agent.request('session/new', params);
    return { known: new Promise<void>((resolve) => ended.set(sessionId, resolve)) };
  };
}
