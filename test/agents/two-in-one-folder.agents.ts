import { assertNotTold, assertToldOnce } from '../support/agents/expected.ts';
import { scene } from '../support/agents/scene.ts';
import { waitFor } from '../support/world.ts';

scene(
  {
    name: 'two in one folder',
    sentence: 'of two agents at work in one folder, each is told of its own command and not of the other',
  },
  async (stage) => {
    const sides = ['lint', 'build'].map((name) => ({
      held: stage.held(name),
      prompt: `Start ${name} and go on.`,
    }));
    // opencode makes its database when it first starts, and two of them at once fail at that.
    await stage.converse({ prompt: 'Do nothing yet.' }, []);
    let ended = 0;
    const conversations = sides.map(({ held, prompt }) =>
      stage.ask({ prompt }, [
        () => ({ calls: [stage.start(held)] }),
        async () => {
          await stage.release(held);
          ended += 1;
          await waitFor(() => ended === sides.length, 'both commands to end', 120_000);
          return { calls: [stage.agent.call('tasks', {})] };
        },
        () => ({ calls: [stage.agent.call('tasks', {})] }),
      ]),
    );
    for (const conversation of conversations) await conversation.ended();
    for (const { held, prompt } of sides) {
      assertToldOnce(stage.shown(prompt), held);
      for (const other of sides.filter((side) => side.held !== held))
        assertNotTold(stage.shown(prompt), other.held);
    }
  },
);
