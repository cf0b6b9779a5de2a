import { assertToldOnce } from '../support/agents/expected.ts';
import { scene } from '../support/agents/scene.ts';

scene(
  {
    name: 'told once',
    sentence: 'the end of a command in the background is told once, with the next answer of any tool',
  },
  async (stage) => {
    const build = stage.held('build');
    const prompt = 'Start the build and go on.';
    const texts = await stage.converse({ prompt }, [
      () => ({ calls: [stage.start(build)] }),
      async () => {
        await stage.release(build);
        return { calls: [stage.agent.call('tasks', {})] };
      },
      () => ({ calls: [stage.agent.call('tasks', {})] }),
      () => ({ calls: [stage.agent.call('tasks', {})] }),
    ]);
    assertToldOnce(texts, build);
    // The others may be described when the model asks for them.
    stage.assertDescribed(prompt, ['run', 'wait', 'kill']);
  },
);
