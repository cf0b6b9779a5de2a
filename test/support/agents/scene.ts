import { test } from 'node:test';
import { agents } from './installed.ts';
import { note, wordOf } from './outcome.ts';
import type { AgentProgram } from './program.ts';
import { Stage } from './stage.ts';

/**
 * A scene as one test for each agent that the run has. `name` is the head of its column in the table, `sentence` what holds.
 * `only` names the agents that can play it. A word that `play` returns stands in the table, or else "yes".
 */
export function scene(
  { name, sentence, only }: { name: string; sentence: string; only?: readonly AgentProgram[] },
  play: (stage: Stage) => Promise<unknown>,
): void {
  for (const agent of agents(only))
    test(`${agent.name}: ${sentence}`, async () => {
      const outcome = { scene: name, agent: agent.key, file: process.argv[1] };
      note({ ...outcome, passed: false });
      await using stage = await Stage.open(agent, wordOf(name));
      const seen = await play(stage);
      note({ ...outcome, passed: true, ...(typeof seen === 'string' ? { seen } : {}) });
    });
}
