import assert from 'node:assert/strict';
import { assertToldOnce } from './expected.ts';
import type { Stage } from './stage.ts';

/**
 * The agent starts commands in its own shell and works on in it. A hook tells a line that it watches for and the end of a command after
 * a tool, and the end of another command with the next prompt. Each is acknowledged by the next hook, when the model had it.
 */
export async function playHooks(stage: Stage): Promise<void> {
  const [build, lint] = [stage.held('build'), stage.held('lint')];
  const work = () => ({ calls: [stage.agent.shell('echo at work')] });
  const prompt = 'Start the build and the linter in your shell, and go on.';
  // The command does not show what it prints, and the answer of the shell does not, either.
  const serve = `outlive run -n dev -t none 'echo listening on 4$((1+1)); sleep 600'`;
  const watch = `${serve} && outlive wait dev --for pattern=listening >/dev/null && outlive watch dev listening`;
  const first = await stage.converse({ prompt }, [
    () => ({ calls: [stage.startInShell(build)] }),
    () => ({ calls: [stage.startInShell(lint)] }),
    () => ({ calls: [stage.agent.shell(watch)] }),
    async () => {
      assert.equal(
        stage.has({ name: 'dev' }, 'seen'),
        false,
        'a line was acknowledged before the model had it',
      );
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
  const withLine = first.filter((text) => text.includes('listening on 42'));
  assert.equal(withLine.length, 1, `expected the line once, found:\n${withLine.join('\n----\n')}`);
  assert.equal(stage.has({ name: 'dev' }, 'seen'), true, 'the line was not acknowledged');
  assertToldOnce(first, build);
  await stage.release(lint, 'exit');
  const next = 'What is with the linter?';
  const second = await stage.converse({ prompt: next, resumes: true }, [work, work]);
  assertToldOnce(second, lint);
  assert.equal(stage.has(lint, 'delivered'), true);
}
