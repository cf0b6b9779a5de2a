import { join } from 'node:path';
import type { AgentProgram } from '../program.ts';
import { writeJson } from '../write.ts';

function script(modules: string): string {
  return join(modules, '@google/gemini-cli/bundle/gemini.js');
}

export const geminiCli: AgentProgram = {
  name: 'Gemini CLI',
  key: 'gemini-cli',
  setUp: ({ home }) => {
    writeJson(join(home, '.gemini/settings.json'), {
      security: { auth: { selectedType: 'gemini-api-key' } },
      general: { enableAutoUpdate: false, enableAutoUpdateNotification: false },
      privacy: { usageStatisticsEnabled: false },
      telemetry: { enabled: false },
    });
  },
  command: ({ modules, node }, { prompt, resumes }) => [
    node,
    script(modules),
    '--model=gemini-2.5-pro',
    '--approval-mode=yolo',
    '--skip-trust',
    ...(resumes ? ['--resume=latest'] : []),
    `--prompt=${prompt}`,
  ],
  env: ({ modelUrl }) => ({
    GEMINI_API_KEY: 'made-up',
    GOOGLE_GEMINI_BASE_URL: modelUrl,
    GEMINI_CLI_NO_RELAUNCH: 'true',
  }),
  call: (tool, input) => ({ tool: `mcp_outlive_${tool}`, input }),
  shell: (command) => ({ tool: 'run_shell_command', input: { command } }),
};

/** After `outlive setup gemini --plugin`, with that folder as an extension. */
export const geminiCliWithExtension: AgentProgram = {
  ...geminiCli,
  install: ({ home, modules, node }) => {
    const folder = join(home, 'outlive');
    return [
      ['outlive', 'setup', 'gemini', '--plugin', folder],
      [node, script(modules), 'extensions', 'link', folder, '--consent'],
    ];
  },
};
