import { assertToldOnce } from '../support/agents/expected.ts';
import { scene } from '../support/agents/scene.ts';

scene(
  {
    name: 'quit and resumed',
    sentence: 'a command outlives an agent that quits, and the resumed conversation is told of its end once',
  },
  async (stage) => {
    const build = stage.held('build');
    await stage.converse({ prompt: 'Start the build and quit.' }, [() => ({ calls: [stage.start(build)] })]);
    await stage.release(build, 'exit');
    const look = () => ({ calls: [stage.agent.call('tasks', {})] });
    const texts = await stage.converse({ prompt: 'What is with the build?', resumes: true }, [look, look]);
    assertToldOnce(texts, build);
  },
);
