import { assertListed, assertToldOnce } from '../support/agents/expected.ts';
import { claudeCode } from '../support/agents/programs/claude-code.ts';
import { scene } from '../support/agents/scene.ts';

scene(
  {
    name: 'subagent',
    sentence: 'an end is told once to the agent or its subagent, and the agent can look it up',
    only: [claudeCode],
  },
  async (stage) => {
    const build = stage.held('build');
    const look = () => ({ calls: [stage.agent.call('tasks', {})] });
    const [prompt, inner] = ['Start the build and hand on the rest.', 'Look at what runs.'];
    stage.model.plays(inner, [look, look]);
    const input = { description: 'Looks', prompt: inner, subagent_type: 'general-purpose' };
    const texts = await stage.converse({ prompt }, [
      () => ({ calls: [stage.start(build)] }),
      async () => {
        await stage.release(build);
        return { calls: [{ tool: 'Agent', input: { ...input, run_in_background: false } }] };
      },
      look,
      () => ({ calls: [stage.agent.call('tasks', { all: true })] }),
    ]);
    // The client does not say whether the agent or its subagent calls, so whichever asks first is told.
    const below = stage.shown(inner);
    assertToldOnce([...texts, ...below], build);
    assertListed(stage.latest(prompt), build);
    return below.some((text) => text.includes(build.line)) ? 'the subagent is told' : 'the agent is told';
  },
);
