import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sealOf } from '../../../src/util/crypto.ts';
import { BareShim, exitProof } from '../../support/bare-shim.ts';
import { World, waitFor } from '../../support/world.ts';

const first = 'bgb-0123456789ab';
const proven = `{"fact":"exit","code":0,"pending":false,"proof":"${exitProof}"}\n`;

for (const [what, path, inject] of [
  ['its log cannot be looked at', 'tasks', 'fstat,newfstatat:error=EIO:when=1'],
  ['its log cannot be opened', 'tasks', 'open,openat:error=EMFILE:when=1'],
  ['the days cannot be listed', 'done/2026-01-01', 'getdents64:error=EIO:when=1'],
  ['the folder of its day cannot be opened', 'done/2026-01-01', 'openat:error=ENFILE:when=1'],
] as const) {
  test(`a task that comes after a completed one starts although at first ${what}`, async () => {
    await using world = new World();
    const folder = join(world.base, path);
    for (const name of ['tasks', path]) mkdirSync(join(world.base, name), { recursive: true });
    writeFileSync(join(folder, `${first}.jsonl`), proven);
    const shim = await BareShim.in(world.base);
    const after = { task: first, log: join(world.base, 'tasks', `${first}.jsonl`), seal: sealOf(exitProof) };
    const queue = { queued: true, queueFile: join(world.base, 'queue'), order: 1, limit: 5 };
    const paths = [folder, join(folder, `${first}.jsonl`), join(world.base, 'done')].flatMap((of) => [
      '-P',
      of,
    ]);
    const before = ['strace', '-f', '-qq', '-o', '/dev/null', ...paths, '-e', `inject=${inject}`];
    const end = shim.start(shim.request('exit 0', { after, ...queue }), before);
    await waitFor(() => shim.facts().some((fact) => fact.fact === 'exit'), 'the end of the command');
    await end;
  });
}
