import type { ExtensionAPI, ExtensionContext } from '@earendil-works/pi-coding-agent';
import { openStore, type StoreOptions } from '../api/open-store.ts';
import type { Session } from '../api/session.ts';
import { report } from '../tools/delivery/report.ts';
import { Reading } from '../tools/reading.ts';
import { type SessionTool, type SessionTools, sessionTools } from '../tools/session-tools.ts';

/** An extension of pi. */
export type PiExtension = (pi: ExtensionAPI) => void;

/** How the extension is made. */
export interface PiExtensionOptions extends StoreOptions {
  /** The session of outlive. @default that with the id of pi's */
  readonly session?: string;
}

/** What an open conversation has, until it ends. */
interface Open {
  readonly tools: SessionTools;
  close(): Promise<void>;
}

/**
 * An extension of pi: the tools of outlive, and an agent that is woken by the ends of its commands. The session of outlive has the
 * id of pi's, which pi's own shell knows as `PI_SESSION_ID`.
 * @param options those of `openStore()`, and `session`.
 */
export function piExtension(options: PiExtensionOptions = {}): PiExtension {
  return (pi) => {
    const reading = new Reading();
    let open: Open | undefined;
    pi.on('session_start', async (_event, context) => {
      await open?.close();
      open = await start(options, context);
      for (const tool of open.tools.list) pi.registerTool(asPiTool(tool, reading));
      void tell(pi, open.tools, reading);
    });
    pi.on('session_shutdown', async () => {
      await open?.close();
      open = undefined;
    });
    pi.on('message_end', async ({ message }) => {
      if (message.role !== 'assistant') reading.saw(message);
      else if (message.stopReason !== 'error' && message.stopReason !== 'aborted') await reading.answered();
    });
  };
}

async function start(
  { session: named, ...options }: PiExtensionOptions,
  { cwd, sessionManager }: ExtensionContext,
): Promise<Open> {
  const store = await openStore(options);
  try {
    const session: Session = await store.session(named ?? sessionManager.getSessionId());
    const tools = await sessionTools(store, session, { cwd });
    return {
      tools,
      close: async () => {
        tools.close();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Wakes the agent with its news, or gives it the news between two steps. */
async function tell(pi: ExtensionAPI, tools: SessionTools, reading: Reading): Promise<void> {
  try {
    for await (const told of tools.deliveries()) {
      reading.add(told);
      const message = { customType: 'outlive', content: told.text, display: true };
      pi.sendMessage(message, { triggerTurn: true, deliverAs: 'steer' });
    }
  } catch (error) {
    report('telling pi that a task ended', error);
  }
}

function asPiTool({ name, title, description, inputSchema, call }: SessionTool, reading: Reading): object {
  return {
    ...{ name, label: title, description, parameters: inputSchema },
    execute: async (_id: string, args: unknown, abortSignal?: AbortSignal): Promise<object> => {
      const told = await call(args, abortSignal && { abortSignal });
      reading.add(told);
      return { content: [{ type: 'text', text: told.text }], details: undefined, isError: told.isError };
    },
  };
}
