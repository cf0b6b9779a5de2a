import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { scene } from '../support/agents/scene.ts';
import { waitFor } from '../support/world.ts';

scene(
  {
    name: 'own shell',
    sentence:
      'what outlive promises in the shell of an agent goes on after that shell, or nothing is promised',
  },
  async (stage) => {
    const build = stage.held('build');
    const done = join(stage.place.folder, 'build.done');
    // A sandbox lets its commands write to the folder of the work, if anywhere.
    const store = 'OUTLIVE_HOME="$PWD/store"';
    const command = `until [ -e build.go ]; do sleep 0.1; done; touch build.done`;
    const prompt = 'Start the build in your shell.';
    await stage.converse({ prompt }, [
      () => ({ calls: [stage.agent.shell(`${store} outlive run '${command}'; echo status=$?`)] }),
    ]);
    const [answer = ''] = stage.latest(prompt);
    stage.allow(build);
    if (/status=0/.test(answer)) {
      await waitFor(() => existsSync(done), 'the command to go on after the agent');
      return 'goes on';
    }
    assert.match(answer, /outlive: .*sandbox/);
    assert.match(answer, /status=119/);
    return 'refused';
  },
);
