import assert from 'node:assert/strict';
import { assertToldOnce } from '../support/agents/expected.ts';
import { claudeCode } from '../support/agents/programs/claude-code.ts';
import { pi } from '../support/agents/programs/pi.ts';
import { scene } from '../support/agents/scene.ts';
import { Seat } from '../support/agents/seat.ts';
import type { Stage } from '../support/agents/stage.ts';

scene(
  {
    name: 'woken while idle',
    sentence: 'an agent that is idle in its terminal is told of an end without input from its user',
    only: [claudeCode, pi],
  },
  async (stage) => {
    for (const start of ['first', 'second', 'third']) {
      if (await isWoken(stage, start)) return;
      // On a busy machine it does not wait for the server's first answer, and then does without tasks.
    }
    assert.fail('it was woken after none of three starts');
  },
);

/** Starts the agent and a command. Returns whether the end of the command has woken it; then it was told of the end once. */
async function isWoken(stage: Stage, start: string): Promise<boolean> {
  const held = stage.held(start);
  const prompt = `Start the ${start} build and rest.`;
  stage.model.plays(prompt, [
    () => ({ calls: [stage.start(held, { wait_ms: 300 })] }),
    () => ({ say: 'I rest.' }),
    () => ({ say: 'I am awake.' }),
  ]);
  await using seat = await Seat.take(stage);
  await seat.command(prompt);
  await seat.shows(/I rest\./);
  await stage.release(held);
  const woken = await seat.shows(/I am awake\./, 20_000).then(
    () => true,
    () => false,
  );
  if (woken) assertToldOnce(stage.shown(prompt), held);
  return woken;
}
