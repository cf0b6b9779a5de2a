import { isFirstNamespace } from '../platform/linux/linux.ts';
import { endingSandbox, firstProcess } from '../platform/linux/sandbox.ts';
import type { System } from '../platform/system.ts';
import { type Finding, fine, warning } from './finding.ts';

/** Whether what is started here ends with something else than itself: a sandbox, or a container. */
export function checkSandbox(system: System): Finding[] {
  if (process.platform !== 'linux') return [];
  const sandbox = endingSandbox();
  if (sandbox !== null)
    return [
      warning(
        'sandbox',
        `this shell runs in a sandbox (${sandbox}) that ends with the call and kills everything in it`,
        'Run outlive outside of the sandbox, or use its MCP server, which the agent starts outside: see docs/agents.md.',
      ),
    ];
  if (isFirstNamespace(system.self().pidNamespace))
    return [fine('sandbox', 'no sandbox or container ends the tasks that start here')];
  const first = firstProcess();
  return [
    warning(
      'sandbox',
      `this is a container or sandbox: every task that starts here ends with its first process${first === null ? '' : ` (${first})`}`,
      'That is fine if it lives as long as your tasks must run.',
    ),
  ];
}
