import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { TestCgroup } from '../../support/cgroups.ts';
import { CommandLine } from '../../support/command-line.ts';
import { MadeFleet } from '../../support/fleet/machines.ts';
import { withoutNats } from '../../support/nats.ts';
import { fixturePath, quote, waitFor } from '../../support/world.ts';

const hasManager = process.getuid?.() === 0 && spawnSync('systemd-run', ['--version']).status === 0;
const options = {
  skip: withoutNats || (!hasManager && 'there is no root, or no systemd, for a service manager'),
};

/** A machine with a service manager of its user, in a shell of which a test runs lines. */
class ManagedMachine extends CommandLine {
  readonly #cgroup = new TestCgroup();
  readonly #shell: ChildProcess;
  #said = '';

  constructor() {
    super();
    const words = [fixturePath('with-user-manager.sh'), this.#cgroup.dir, 'sh'];
    this.#shell = spawn('sh', words, {
      cwd: this.base,
      env: { ...this.environment(), PATH: process.env.PATH },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#shell.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text;
    });
  }

  get unit(): string {
    return join(this.base, '.config', 'systemd', 'user', 'outlive-fleet.service');
  }

  /** Runs a line to its end. */
  async line(text: string): Promise<{ readonly status: number; readonly said: string }> {
    this.#said = '';
    this.#shell.stdin?.write(`{ ${text}; } 2>&1\necho "~$?"\n`);
    const ended = /~(\d+)\n$/;
    await waitFor(() => {
      if (this.#shell.exitCode !== null) throw new Error(`the shell ended:\n${this.#said}`);
      return ended.test(this.#said);
    }, `an answer to ${text}`);
    const [whole, status] = ended.exec(this.#said) ?? assert.fail();
    return { status: Number(status), said: this.#said.slice(0, -whole.length) };
  }

  /** Runs the program there. */
  async outlive(...words: readonly string[]): Promise<string> {
    const { status, said } = await this.line([...this.program, ...words].map(quote).join(' '));
    assert.equal(status, 0, said);
    return said;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.#shell.kill('SIGKILL');
    if (this.#shell.exitCode === null && this.#shell.signalCode === null) await once(this.#shell, 'exit');
    await this.#cgroup[Symbol.asyncDispose]();
    await super[Symbol.asyncDispose]();
  }
}

test(
  "systemd runs the agent of a host, and a host's tasks go on when the unit is stopped, started and removed",
  options,
  async () => {
    await using fleet = await MadeFleet.make();
    await using machine = new ManagedMachine();
    const invitation = (await fleet.run('fleet', 'invite')).stdout.trim();
    const said = await machine.outlive('fleet', 'join', '--service', '--name', 'h1', invitation);
    assert.match(said, /^joined the fleet as the host h1\nsystemd runs the agent of this host: /);
    await waitFor(
      async () => /^h1\tlive\t/m.test((await fleet.run('fleet', 'hosts')).stdout),
      'the host to be live',
    );
    const beats = join(machine.base, 'beats');
    const task = await fleet.on('h1', `while :; do echo >>'${beats}'; sleep 0.05; done`);
    const goesOn = async (): Promise<void> => {
      const size = (): number => (existsSync(beats) ? readFileSync(beats).length : 0);
      const before = size();
      await waitFor(() => size() > before + 2, 'the task to go on');
    };
    await goesOn();
    assert.equal((await machine.line('systemctl --user stop outlive-fleet')).status, 0);
    assert.equal((await machine.line('systemctl --user is-active outlive-fleet')).said, 'inactive\n');
    await goesOn();
    assert.match(await machine.outlive('fleet', 'join', '--service', '--fence', 'stop'), /^systemd runs/);
    assert.match(readFileSync(machine.unit, 'utf8'), /"--fence" "stop"$/m);
    assert.equal((await machine.line('systemctl --user is-enabled outlive-fleet')).said, 'enabled\n');
    await goesOn();
    assert.match(await machine.outlive('fleet', 'join', '--service', '--remove'), /^removed the unit/);
    assert.ok(!existsSync(machine.unit));
    assert.notEqual((await machine.line('systemctl --user is-active outlive-fleet')).status, 0);
    await goesOn();
    // The host is the same one when its agent is back, and has the task.
    await machine.outlive('fleet', 'join', '--service');
    // An agent without its first lease answers nothing, and a kill waits for its answer for 20 s.
    await waitFor(async () => (await fleet.run('logs', task)).status === 0, 'the host to answer');
    assert.equal((await fleet.run('kill', task)).status, 0);
    assert.equal((await fleet.run('wait', task)).status, 123);
    // What stands for something else in a unit, or in a shell, comes to the agent as it is.
    const store = join(machine.base, `a $HOME %h "b" \\x41 'c' ; #`);
    await machine.outlive('fleet', 'join', '--service', '--store', store);
    await waitFor(() => existsSync(join(store, 'store.json')), 'the agent to have its store there');
  },
);

test(
  'without a service manager the unit is written, and the answer says what is left to run',
  options,
  async () => {
    await using fleet = await MadeFleet.make();
    await using machine = new CommandLine();
    const call = async (...words: readonly string[]) =>
      await machine.run('fleet', 'join', '--service', ...words);
    const refused = await call();
    assert.deepEqual([refused.status, refused.stdout], [125, '']);
    assert.match(refused.stderr, /expected a host of a fleet/);
    const invitation = (await fleet.run('fleet', 'invite')).stdout.trim();
    const made = await call('--name', 'h1', invitation);
    const folder = join(machine.base, '.config', 'systemd', 'user');
    const unit = join(folder, 'outlive-fleet.service');
    assert.deepEqual([made.status, made.stdout], [125, 'joined the fleet as the host h1\n']);
    assert.match(
      made.stderr,
      /run these commands yourself:\n {2}systemctl --user daemon-reload\n {2}systemctl --user enable/,
    );
    assert.match(made.stderr, /To run the agent without systemd: outlive fleet join/);
    assert.ok(existsSync(unit));
    const removed = await machine.run('fleet', 'join', '--service', '--remove', '--json');
    assert.equal(removed.status, 125);
    const told = JSON.parse(removed.stdout) as { unit: string; left: string[][] };
    assert.deepEqual([told.unit, told.left.at(-2)], [unit, ['rm', unit]]);
    // What somebody else has written stays.
    mkdirSync(folder, { recursive: true });
    writeFileSync(unit, '[Service]\n');
    for (const words of [[], ['--remove']]) {
      const foreign = await call(...words);
      assert.equal(foreign.status, 125);
      assert.match(foreign.stderr, /found one that outlive did not write/);
    }
    assert.equal(readFileSync(unit, 'utf8'), '[Service]\n');
    const client = (await fleet.run('fleet', 'invite', '--role', 'viewer')).stdout.trim();
    const wrong = [['--remove', invitation], ['--enrol-only', invitation], [client]];
    for (const words of wrong) assert.equal((await call(...words)).status, 64, words.join(' '));
    assert.equal((await machine.run('fleet', 'join', '--remove')).status, 64);
  },
);
