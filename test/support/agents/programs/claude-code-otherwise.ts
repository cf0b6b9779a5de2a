import { join } from 'node:path';
import type { AgentProgram, Place } from '../program.ts';
import { writeJson } from '../write.ts';
import { claudeCode } from './claude-code.ts';

/** Claude Code with more words, without its sandbox, and with leave to call these tools. */
function claudeCodeWith(
  more: (place: Place) => readonly string[],
  allow: readonly string[],
): Pick<AgentProgram, 'command' | 'setUp'> {
  return {
    setUp: (place) => {
      claudeCode.setUp(place);
      writeJson(join(place.home, '.claude/settings.json'), { permissions: { allow } });
    },
    command: (place, asked) => {
      const [program = '', ...words] = claudeCode.command(place, asked);
      return [program, ...more(place), ...words];
    },
  };
}

/** After `outlive setup`, without the MCP server: it has the hooks and its shell. */
export const claudeCodeWithShell: AgentProgram = {
  ...claudeCode,
  ...claudeCodeWith(() => ['--strict-mcp-config'], ['Bash']),
  needs: 'Bash',
};

const pluginFolder = ({ home }: Place): string => join(home, 'outlive-plugin');

/** After `outlive setup claude --plugin`, with that folder as a plugin. */
export const claudeCodeWithPlugin: AgentProgram = {
  ...claudeCode,
  ...claudeCodeWith(
    (place) => [`--plugin-dir=${pluginFolder(place)}`],
    ['Bash', 'mcp__plugin_outlive_outlive'],
  ),
  install: (place) => [['outlive', 'setup', 'claude', '--plugin', pluginFolder(place)]],
  call: (tool, input) => ({ tool: `mcp__plugin_outlive_outlive__${tool}`, input }),
};
