import type { ClientApp } from '@agentclientprotocol/sdk';
import { withRequestErrors } from './request-errors.ts';
import { Terminals, type TerminalsOptions } from './terminals.ts';

/**
 * Has an editor (an ACP client of version 1) execute `terminal/create`, `output`, `wait_for_exit`, `kill` and
 * `release`, each terminal a task. The editor itself has to say `clientCapabilities.terminal: true`. Errors are
 * those of the protocol: -32002 for a terminal that is not there, -32602 for input that is refused.
 * @returns the terminals, for the editor's own use.
 */
export function serveTerminals(app: ClientApp, options: TerminalsOptions): Terminals {
  const terminals = new Terminals(options);
  app
    .onRequest('terminal/create', ({ params }) => withRequestErrors(() => terminals.create(params)))
    .onRequest('terminal/output', ({ params }) => withRequestErrors(() => terminals.output(params)))
    .onRequest('terminal/wait_for_exit', ({ params, signal: abortSignal }) =>
      withRequestErrors(() => terminals.waitForExit(params, { abortSignal })),
    )
    .onRequest('terminal/kill', ({ params }) => withRequestErrors(() => terminals.kill(params)))
    .onRequest('terminal/release', ({ params }) => withRequestErrors(() => terminals.release(params)));
  return terminals;
}
