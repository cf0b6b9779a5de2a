// Gives an example a store of its own, removed when the example ends; with it `openStore()` reads as in your code.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const dir = mkdtempSync(join(tmpdir(), 'outlive-example-'));
process.env.OUTLIVE_HOME = dir;
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
