import { join } from 'node:path';
import type { AgentProgram } from '../program.ts';
import { write } from '../write.ts';

const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';

export const codex: AgentProgram = {
  name: 'Codex',
  key: 'codex',
  setUp: ({ home, modelUrl }) => {
    write(
      join(home, '.codex/config.toml'),
      `
model = "gpt-5.2-codex"
model_provider = "fake"
check_for_update_on_startup = false

[model_providers.fake]
name = "fake"
base_url = "${modelUrl}/v1"
env_key = "FAKE_KEY"
wire_api = "responses"

[analytics]
enabled = false
`,
    );
  },
  command: ({ modules }, { prompt, resumes }) => [
    join(modules, `@openai/codex-linux-${process.arch}/vendor/${machine}-unknown-linux-musl/bin/codex`),
    'exec',
    '--skip-git-repo-check',
    '--sandbox=workspace-write',
    ...(resumes ? ['resume', '--last'] : []),
    prompt,
  ],
  env: () => ({ FAKE_KEY: 'made-up' }),
  call: (tool, input) => ({ tool: `mcp__outlive/${tool}`, input }),
  shell: (command) => ({ tool: 'exec_command', input: { cmd: command } }),
};
