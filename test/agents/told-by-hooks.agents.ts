import { playHooks } from '../support/agents/hooks.ts';
import { claudeCodeWithShell } from '../support/agents/programs/claude-code-otherwise.ts';
import { scene } from '../support/agents/scene.ts';

scene(
  {
    name: 'told by hooks',
    sentence: 'the end of a command that its own shell started is told by a hook, once, without MCP',
    only: [claudeCodeWithShell],
  },
  playHooks,
);
