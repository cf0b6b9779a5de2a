import { OutliveError } from '../errors/error.ts';
import { endingSandbox } from '../platform/linux/sandbox.ts';

/**
 * Refuses to start what would certainly end with the shell call that this program runs in.
 * @throws OutliveError `WOULD_DIE`.
 */
export function refuseInSandbox(): void {
  const sandbox = process.platform === 'linux' ? endingSandbox() : null;
  if (sandbox === null) return;
  throw new OutliveError(
    'WOULD_DIE',
    `expected a shell whose commands can outlive the call; found that this one runs in a sandbox (${sandbox}) that ends with the call and kills everything in it. Nothing was started. Run it outside of the sandbox, use outlive's MCP server, which the agent starts outside, or wait for its end here: --wait. To start it anyway: --anyway. See docs/agents.md.`,
    { details: { sandbox } },
  );
}
