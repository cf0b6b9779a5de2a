// Makes the files of the dashboard's page, which `outlive ui` serves, from src/ui/page. Run by the build, after tsc.
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** The folders that tsc writes the modules of src/ to: the server looks for the page beside its own folder. */
const outputs = ['dist', 'build/src'];

const source = 'src/ui/page';

/** Writes page/ in each of the outputs. @returns what esbuild says of the inputs, for their licences. */
export async function makePage(root) {
  const { build } = await import('esbuild');
  const results = [];
  for (const output of outputs) {
    const outdir = join(root, output, 'page');
    mkdirSync(outdir, { recursive: true });
    results.push(
      await build({
        absWorkingDir: root,
        entryPoints: {
          page: `${source}/main.tsx`,
          terminal: `${source}/terminal-module.ts`,
        },
        tsconfig: `${source}/tsconfig.json`,
        outdir,
        bundle: true,
        minify: true,
        format: 'esm',
        platform: 'browser',
        target: ['es2022'],
        charset: 'utf8',
        metafile: true,
        logLevel: 'warning',
        legalComments: 'none',
      }),
      await build({
        absWorkingDir: root,
        entryPoints: { page: `${source}/page.css`, terminal: 'node_modules/@xterm/xterm/css/xterm.css' },
        outdir,
        bundle: true,
        minify: true,
        metafile: true,
        logLevel: 'warning',
        legalComments: 'none',
      }),
    );
    for (const file of ['index.html', 'icon.svg']) copyFileSync(join(root, source, file), join(outdir, file));
  }
  return results;
}
