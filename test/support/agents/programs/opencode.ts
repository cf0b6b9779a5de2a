import { join } from 'node:path';
import type { AgentProgram } from '../program.ts';
import { writeJson } from '../write.ts';

export const opencode: AgentProgram = {
  name: 'opencode',
  key: 'opencode',
  setUp: ({ home, modelUrl }) => {
    writeJson(join(home, '.config/opencode/opencode.json'), {
      autoupdate: false,
      share: 'disabled',
      provider: {
        fake: {
          npm: '@ai-sdk/openai-compatible',
          name: 'fake',
          options: { baseURL: `${modelUrl}/v1`, apiKey: 'made-up' },
          models: { model: { name: 'model', tool_call: true, limit: { context: 200_000, output: 8_000 } } },
        },
      },
      model: 'fake/model',
      small_model: 'fake/model',
      permission: 'allow',
    });
  },
  command: ({ modules }, { prompt, resumes }) => [
    join(modules, `opencode-linux-${process.arch}/bin/opencode`),
    'run',
    ...(resumes ? ['--continue'] : []),
    prompt,
  ],
  env: () => ({
    OPENCODE_DISABLE_AUTOUPDATE: '1',
    OPENCODE_DISABLE_MODELS_FETCH: '1',
    OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
    OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
    OPENCODE_DISABLE_SHARE: '1',
  }),
  call: (tool, input) => ({ tool: `outlive_${tool}`, input }),
  shell: (command) => ({ tool: 'bash', input: { command, description: 'A command of the scene' } }),
};
