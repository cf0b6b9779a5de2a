import { join } from 'node:path';
import type { AgentProgram } from '../program.ts';
import { writeJson } from '../write.ts';

function cli(modules: string): string {
  return join(modules, '@earendil-works/pi-coding-agent/dist/bundle/cli.js');
}

export const pi: AgentProgram = {
  name: 'pi',
  key: 'pi',
  setUp: ({ home, modelUrl }) => {
    writeJson(join(home, '.pi/agent/models.json'), {
      providers: {
        fake: {
          baseUrl: `${modelUrl}/v1`,
          api: 'openai-completions',
          apiKey: 'made-up',
          models: [{ id: 'model' }],
        },
      },
    });
  },
  command: ({ modules, node }, { prompt, resumes }) => [
    node,
    cli(modules),
    '--model',
    'fake/model',
    ...(resumes ? ['--continue'] : []),
    '--print',
    prompt,
  ],
  env: () => ({ PI_OFFLINE: '1', PI_TELEMETRY: '0', PI_SKIP_VERSION_CHECK: '1' }),
  call: (tool, input) => ({ tool, input }),
  shell: (command) => ({ tool: 'bash', input: { command } }),
  interactive: {
    command: ({ modules, node }) => [node, cli(modules), '--model', 'fake/model'],
    ready: /\d%\/.*model\s*$/m,
  },
};
