// A program that uses pm2 by its own library, as those do that script it: requests and answers are lines of JSON.
// Arguments: where pm2 is installed.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const pm2 = createRequire(import.meta.url)(process.argv[2]);
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const call = (name, ...args) =>
  new Promise((resolve, reject) => {
    pm2[name](...args, (error, value) => (error ? reject(error) : resolve(value)));
  });
const app = (name, command) => ({
  name,
  script: '/bin/sh',
  args: ['-c', command],
  interpreter: 'none',
  autorestart: false,
});
const actions = {
  start: async ({ name, command }) => void (await call('start', app(name, command))),
  many: async ({ count }) => {
    const apps = Array.from({ length: count }, (_, n) => app(`many-${n}`, 'true'));
    await call('start', { apps });
  },
  // What `pm2 stop` does, which keeps the entry.
  stop: async ({ name }) => void (await call('stop', name)),
  code: async ({ name }) => {
    const found = (await call('list')).find((one) => one.name === name);
    return found?.pm2_env?.status === 'stopped' ? (found.pm2_env.exit_code ?? null) : null;
  },
  end: async () => void (await call('killDaemon')),
};

await call('connect');
const bus = await call('launchBus');
bus.on('process:event', ({ event, process: { name } }) => {
  if (event === 'exit') say({ ended: name });
});
createInterface({ input: process.stdin })
  .on('line', async (line) => {
    const { id, action, ...rest } = JSON.parse(line);
    try {
      say({ id, value: (await actions[action](rest)) ?? null });
    } catch (error) {
      say({ id, error: String(error?.message ?? error) });
    }
  })
  .on('close', () => process.exit());
say({ id: 0 });
