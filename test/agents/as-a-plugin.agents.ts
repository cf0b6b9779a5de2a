import { assertToldOnce } from '../support/agents/expected.ts';
import { playHooks } from '../support/agents/hooks.ts';
import { claudeCodeWithPlugin } from '../support/agents/programs/claude-code-otherwise.ts';
import { geminiCliWithExtension } from '../support/agents/programs/gemini-cli.ts';
import { scene } from '../support/agents/scene.ts';

scene(
  {
    name: 'as a plugin',
    sentence:
      'the folder that outlive setup --plugin writes gives it the tools, and the hooks where it has such',
    only: [claudeCodeWithPlugin, geminiCliWithExtension],
  },
  async (stage) => {
    const test = stage.held('test');
    const look = () => ({ calls: [stage.agent.call('tasks', {})] });
    const prompt = 'Start the tests and go on.';
    const texts = await stage.converse({ prompt }, [
      () => ({ calls: [stage.start(test)] }),
      async () => {
        await stage.release(test);
        return look();
      },
      look,
    ]);
    assertToldOnce(texts, test);
    if (stage.agent === claudeCodeWithPlugin) await playHooks(stage);
  },
);
