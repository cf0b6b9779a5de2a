import { assertToldOnce } from '../support/agents/expected.ts';
import { claudeCode } from '../support/agents/programs/claude-code.ts';
import { scene } from '../support/agents/scene.ts';
import { Seat } from '../support/agents/seat.ts';

scene(
  {
    name: 'after /clear',
    sentence: 'the conversation after /clear is told of the end of a command from before it, once',
    only: [claudeCode],
  },
  async (stage) => {
    const build = stage.held('build');
    const look = () => ({ calls: [stage.agent.call('tasks', {})] });
    await using seat = await Seat.take(stage);
    await seat.prompt('Start the build.', [
      () => ({ calls: [stage.start(build)] }),
      () => ({ say: 'It runs.' }),
    ]);
    await seat.shows(/It runs\./);
    await seat.command('/clear');
    await seat.shows(/^(?![\s\S]*It runs\.)/);
    await stage.release(build);
    const prompt = 'What is with the build?';
    await seat.prompt(prompt, [look, look, () => ({ say: 'It has ended.' })]);
    assertToldOnce(stage.shown(prompt), build);
  },
);
