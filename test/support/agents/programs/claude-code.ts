import { join } from 'node:path';
import type { AgentProgram, Place } from '../program.ts';
import { writeJson } from '../write.ts';

const key = 'sk-ant-made-up';
const allowed = '--allowedTools=mcp__outlive,Bash';

function program({ modules }: Place): string {
  return join(modules, `@anthropic-ai/claude-code-linux-${process.arch}/claude`);
}

export const claudeCode: AgentProgram = {
  name: 'Claude Code',
  key: 'claude-code',
  setUp: ({ home, folder }) => {
    writeJson(join(home, '.claude/settings.json'), {
      sandbox: { enabled: true, autoAllowBashIfSandboxed: true },
    });
    // What it asks on its first start in a terminal is answered.
    writeJson(join(home, '.claude.json'), {
      hasCompletedOnboarding: true,
      theme: 'dark',
      customApiKeyResponses: { approved: [key], rejected: [] },
      projects: { [folder]: { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true } },
    });
  },
  command: (place, { prompt, resumes, conversation }) => [
    program(place),
    // With --continue it starts its servers before it knows the conversation, and tells them another id.
    `${resumes ? '--resume' : '--session-id'}=${conversation}`,
    allowed,
    '--print',
    prompt,
  ],
  env: ({ modelUrl }) => ({
    ANTHROPIC_API_KEY: key,
    ANTHROPIC_BASE_URL: modelUrl,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    DISABLE_TELEMETRY: '1',
  }),
  call: (tool, input) => ({ tool: `mcp__outlive__${tool}`, input }),
  shell: (command) => ({ tool: 'Bash', input: { command, description: 'A command of the scene' } }),
  interactive: {
    command: (place) => [program(place), '--permission-mode=manual', allowed],
    ready: /^❯/m,
  },
};
