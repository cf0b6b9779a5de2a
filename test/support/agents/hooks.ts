import assert from 'node:assert/strict';
import { assertToldOnce } from './expected.ts';
import type { Stage } from './stage.ts';

/**
 * The agent starts two commands in its own shell and works on in it. A hook tells the end of the first one after a tool, and that of
 * the second one with the next prompt. Each is acknowledged by the next hook, when the model had it.
 */
export async function playHooks(stage: Stage): Promise<void> {
  const [build, lint] = [stage.held('build'), stage.held('lint')];
  const work = () => ({ calls: [stage.agent.shell('echo at work')] });
  const prompt = 'Start the build and the linter in your shell, and go on.';
  const first = await stage.converse({ prompt }, [
    () => ({ calls: [stage.startInShell(build)] }),
    () => ({ calls: [stage.startInShell(lint)] }),
    async () => {
      await stage.release(build, 'exit');
      return work();
    },
    () => {
      assert.equal(stage.has(build, 'delivered'), false, 'acknowledged before the model had it');
      return work();
    },
    () => {
      assert.equal(stage.has(build, 'delivered'), true, 'not acknowledged by the next hook');
      return {};
    },
  ]);
  assertToldOnce(first, build);
  await stage.release(lint, 'exit');
  const next = 'What is with the linter?';
  const second = await stage.converse({ prompt: next, resumes: true }, [work, work]);
  assertToldOnce(second, lint);
  assert.equal(stage.has(lint, 'delivered'), true);
}
