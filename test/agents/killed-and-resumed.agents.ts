import { assertNotTold, assertToldOnce } from '../support/agents/expected.ts';
import { scene } from '../support/agents/scene.ts';
import { waitFor } from '../support/world.ts';

scene(
  {
    name: 'killed and resumed',
    sentence: 'a command outlives SIGKILL of the agent, and the resumed conversation is told of its end once',
  },
  async (stage) => {
    const build = stage.held('build');
    const first = { prompt: 'Start the build and go on.' };
    const killed = stage.ask(first, [
      () => ({ calls: [stage.start(build)] }),
      // The agent is killed while its model thinks.
      async () => {
        killed.crash();
        await killed.gone();
        return {};
      },
    ]);
    await waitFor(() => stage.model.hasPlayed(first.prompt), 'the agent to be killed', 120_000);
    await killed.gone();
    await stage.release(build, 'exit');
    const look = () => ({ calls: [stage.agent.call('tasks', {})] });
    const texts = await stage.converse({ prompt: 'What is with the build?', resumes: true }, [look, look]);
    assertToldOnce(texts, build);
    await stage.converse({ prompt: 'And now?', resumes: true }, [look]);
    assertNotTold(stage.latest('And now?'), build);
  },
);
