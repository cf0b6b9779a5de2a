import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { installed } from '../support/agents/installed.ts';
import { hostsHad, installBeside } from '../support/agents/sdk-host.ts';
import { testWithHosts } from '../support/agents/told-host.ts';
import { write, writeJson } from '../support/agents/write.ts';
import { root } from '../support/repository.ts';
import { World } from '../support/world.ts';

/** As users compile it, with each check that TypeScript has for that. */
const compilerOptions = {
  ...{ target: 'es2023', lib: ['es2023', 'esnext.disposable'], module: 'nodenext', noEmit: true },
  ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: true },
  ...{ types: ['node'], typeRoots: [join(root, 'node_modules/@types')], allowImportingTsExtensions: true },
};

/** What a host asks of a module that it loads by itself. */
const asked: Readonly<Record<string, string>> = {
  pi: `import type { ExtensionFactory } from '@earendil-works/pi-coding-agent';
import extension from './pi-extension.ts';
export const factory: ExtensionFactory = extension;
`,
};

for (const { name, key, example } of hostsHad())
  testWithHosts(`${name}: the example compiles with its own types`, [key], async () => {
    await using world = new World();
    const { base } = world;
    installBeside(base, installed().modules[key] ?? '');
    copyFileSync(join(root, `examples/adapters/${example}.ts`), join(base, `${example}.ts`));
    write(join(base, 'asked.ts'), asked[key] ?? 'export {};\n');
    writeJson(join(base, 'tsconfig.json'), { compilerOptions, files: [`${example}.ts`, 'asked.ts'] });
    const words = [join(root, 'node_modules/typescript/bin/tsc'), '--project', base];
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
    assert.equal(status, 0, `${stdout}${stderr}`);
  });
