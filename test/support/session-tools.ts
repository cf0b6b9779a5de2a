import assert from 'node:assert/strict';
import type { Session, Store } from '../../src/index.ts';
import { type SessionTools, sessionTools, type Told } from '../../src/tools/index.ts';
import type { World } from './world.ts';

/** The tools of a session of a world, with what they are made of. */
export interface Toolbox {
  readonly store: Store;
  readonly session: Session;
  readonly tools: SessionTools;
  call(name: string, args?: unknown): Promise<Told>;
}

/** Opens a session of the world and its tools. */
export async function toolbox(world: World, id = 'conversation'): Promise<Toolbox> {
  const store = await world.store();
  const session = await store.session(id);
  const tools = await sessionTools(store, session);
  const call = async (name: string, args: unknown = {}): Promise<Told> => {
    const tool = tools.list.find((one) => one.name === name);
    assert.ok(tool, name);
    return await tool.call(args);
  };
  return { store, session, tools, call };
}

/** The id of the task that an answer is about. */
export function taskIdIn({ text }: Told): string {
  return /bgb-[0-9a-f]{12}/.exec(text)?.[0] ?? assert.fail(`no task in: ${text}`);
}
