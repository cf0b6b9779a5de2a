import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Paired } from '../acp.ts';
import type { Properties } from './properties.ts';
import { hostileText } from './texts.ts';

const json = fc.oneof(fc.jsonValue(), hostileText, fc.constantFrom(-1, 1.5, '', null, [], {}));
const either = (good: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ arbitrary: good, weight: 3 }, json);
const request = fc.record(
  {
    sessionId: either(fc.constantFrom('s', 's2')),
    // No text that a shell would take for something else than this.
    command: either(fc.constant('true')).map((value) => (typeof value === 'string' ? 'true' : value)),
    args: either(fc.array(hostileText)),
    cwd: either(fc.constantFrom('/', 'relative', '/none')),
    env: either(
      fc.array(
        fc.record({
          name: fc.oneof(hostileText, fc.constantFrom('__proto__', 'A=B', 'OUTLIVE_TASK', 'PATH')),
          value: hostileText,
        }),
      ),
    ),
    outputByteLimit: either(fc.nat()),
    terminalId: either(fc.constantFrom('bgb-000000000000', '../x')),
    _meta: json,
  },
  { requiredKeys: [] },
);

/** Properties of the editor's side of ACP. */
export function acpProperties(paired: () => Paired): Properties {
  return {
    'a terminal that is asked for with anything is made or refused by a word of the protocol':
      fc.asyncProperty(
        fc.constantFrom('create', 'output', 'wait_for_exit', 'kill', 'release'),
        request,
        async (verb, params) => {
          try {
            await paired().editor.request(`terminal/${verb}` as 'terminal/output', params as never);
          } catch (error) {
            const { code } = error as { code?: number };
            assert.ok(
              code === -32602 || code === -32002,
              `${verb}: ${code} ${JSON.stringify(error)} ${error}`,
            );
          }
        },
      ),
  };
}
