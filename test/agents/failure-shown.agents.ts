import { assertEndsHere } from '../support/agents/expected.ts';
import { scene } from '../support/agents/scene.ts';

scene(
  {
    name: 'failure shown',
    sentence: 'the model sees the output of a command that failed line by line, once, with the exit code',
  },
  async (stage) => {
    const prompt = 'Run the tests.';
    // The command does not show what it prints.
    const command = `printf 'Trace%s:\\n  at %s\\n\\tat %s\\n' back one two; exit 4`;
    await stage.converse({ prompt }, [() => ({ calls: [stage.agent.call('run', { command })] })]);
    assertEndsHere(stage.latest(prompt), ['Traceback:', '  at one', '\tat two'], 4);
  },
);
