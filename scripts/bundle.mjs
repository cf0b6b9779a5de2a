// Makes one file of the command line, one of the MCP server, and one of the tools: a program of many modules takes most of its start to
// find them. Run by the build, after tsc; see docs/decisions/0024-bundles.md.
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { makePage } from './page.mjs';
import { sdkWhenUsed } from './sdk-when-used.mjs';

const entries = {
  program: 'src/bin/program.ts',
  'program-with-mcp': 'src/bin/program-with-mcp.ts',
  'program-with-more': 'src/bin/program-with-more.ts',
  'program-with-fleet': 'src/bin/program.ts',
};

/** What is not in a bundle; src/bin/outlive.ts takes another one for it. */
const left = {
  program: /^(?:\.\.\/(?:setup|top|fleet\/(?:fleet|client\/open-fleet))|\.\/fleet\/perform)\.ts$/,
  'program-with-mcp': /^(?:\.\.\/fleet\/fleet|\.\/fleet\/perform)\.ts$/,
  'program-with-more': /^(?:\.\.\/fleet\/fleet|\.\/fleet\/perform)\.ts$/,
  'program-with-fleet': /^\.\.\/(?:setup|top)\.ts$/,
};

/** Writes dist/bin/*.cjs, dist/mcp/index.js, the page of the dashboard and dist/third-party-licenses.txt. */
export async function bundle(root) {
  const { build } = await import('esbuild');
  const common = {
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node20',
    charset: 'ascii',
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    logLevel: 'warning',
    legalComments: 'none',
    external: ['@koromix/*', '@nats-io/*', '@xterm/headless', 'ws', '@anthropic-ai/*'],
    // Its other form asks for its own files by a function that esbuild does not see through.
    alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' },
  };
  const program = {
    ...common,
    format: 'cjs',
    // A program that is run as a script has no import(), so what is loaded when it is used is required.
    supported: { 'dynamic-import': false },
    plugins: [whereTheyWere(root), sdkWhenUsed()],
  };
  const at =
    'const __at = (path) => require("node:url").pathToFileURL(require("node:path").join(__dirname, "..", path)).href;';
  // A program is run as a script as well, by code-cache.ts: then its value is a function of what a module is handed. To put
  // that around the text when it is read would copy all of it.
  const module = '(exports, require, module, __filename, __dirname)';
  const begin = `(typeof arguments === "undefined" ? (run) => run : (run) => run${module})(function ${module} {`;
  const results = [];
  const hashes = {};
  for (const [name, entry] of Object.entries(entries)) {
    const outfile = `dist/bin/${name}.cjs`;
    const around = { banner: { js: begin + at }, footer: { js: '});' } };
    const plugins = [without(left[name]), ...program.plugins];
    results.push(await build({ ...program, ...around, entryPoints: [entry], outfile, plugins }));
    hashes[name] = createHash('sha256')
      .update(readFileSync(join(root, outfile)))
      .digest('hex')
      .slice(0, 16);
  }
  const outfile = 'dist/bin/outlive.cjs';
  const define = { bundleHashes: JSON.stringify(hashes) };
  const banner = { js: at };
  results.push(await build({ ...program, banner, entryPoints: ['src/bin/outlive.ts'], outfile, define }));
  chmodSync(join(root, outfile), 0o755);
  // What uses zod, which is no dependency: those that use these find them beside their own.
  for (const [name, inside] of [
    ['tools/session-tools', /^tools\//],
    ['adapters/claude', /^$/],
  ]) {
    const [entryPoints, outfile] = [[`src/${name}.ts`], `dist/${name}.js`];
    const plugins = [sharedModules(root, inside)];
    results.push(await build({ ...common, format: 'esm', entryPoints, outfile, plugins }));
  }
  results.push(
    await build({
      ...common,
      format: 'esm',
      entryPoints: ['src/mcp/index.ts'],
      outfile: 'dist/mcp/index.js',
      plugins: [sharedModules(root, /^(?:mcp|tools)\//), sdkWhenUsed()],
      // Packages of CommonJS among those that are bundled ask for modules of Node.
      banner: {
        js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
      },
    }),
  );
  results.push(...(await makePage(root)));
  writeFileSync(join(root, 'dist/third-party-licenses.txt'), licenses(root, results));
}

/** Verbs that are seldom used and need much are not in the bundle of the others. */
function without(filter) {
  return {
    name: 'without-more',
    setup({ onLoad, onResolve }) {
      onResolve({ filter }, ({ path }) => ({ path, namespace: 'without-more' }));
      onLoad({ filter: /./, namespace: 'without-more' }, ({ path }) => ({
        contents: `throw new Error('expected the program with ${path}; found the one without');`,
      }));
    },
  };
}

/** In a bundle each module is at the place that it has among the modules of the package. */
function whereTheyWere(root) {
  return {
    name: 'where-they-were',
    setup({ onLoad, onResolve }) {
      // The shims are in the package's own modules, and hardly ever asked for.
      onResolve({ filter: /\/embedded\/(?:linux|darwin)-\w+\.ts$/ }, ({ path }) => ({
        path: `../shim/embedded/${basename(path, '.ts')}.js`,
        external: true,
      }));
      // The build has filled in the hashes beside what tsc wrote.
      onLoad({ filter: /\/shim\/embedded\/hashes\.ts$/ }, () => ({
        contents: readFileSync(join(root, 'dist/shim/embedded/hashes.js'), 'utf8').replace(/^\/\/#.*$/m, ''),
        loader: 'js',
      }));
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const inDist = relative(join(root, 'src'), path).replaceAll('\\', '/').replace(/\.ts$/, '.js');
        const text = readFileSync(path, 'utf8');
        return {
          contents: text.replaceAll('import.meta.url', `__at(${JSON.stringify(inDist)})`),
          loader: 'ts',
        };
      });
    },
  };
}

/** What an agent's own `import 'outlive'` loads as well stays one module: there is state in it. Others are inside. */
function sharedModules(root, inside) {
  return {
    name: 'shared-modules',
    setup({ onResolve }) {
      onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir }) => {
        if (!resolveDir.startsWith(join(root, 'src'))) return undefined;
        const target = relative(join(root, 'src'), resolve(resolveDir, path)).replaceAll('\\', '/');
        if (inside.test(target)) return undefined;
        return { path: `../${target.replace(/\.ts$/, '.js')}`, external: true };
      });
    },
  };
}

/** The licences of all packages that are in a bundle. */
function licenses(root, results) {
  const inputs = results.flatMap(({ metafile }) => Object.keys(metafile.inputs));
  const folders = new Set(inputs.map(packageFolder).filter((folder) => folder !== null));
  const texts = [...folders].sort().map((folder) => {
    const licenseFile = readdirSync(join(root, folder)).find((file) => /^licen[sc]e/i.test(file));
    if (licenseFile === undefined) throw new Error(`bundle.mjs: expected a licence in ${folder}; found none`);
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    return `${name} ${version} (${license})\n\n${readFileSync(join(root, folder, licenseFile), 'utf8').trim()}\n`;
  });
  return `The command line, the MCP server and the page of the dashboard contain these packages.\n\n${texts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}

/** The folder of the package that a bundled file belongs to; null for a file of ours. */
function packageFolder(input) {
  if (!input.includes('node_modules/')) return null;
  for (let folder = dirname(input); folder.includes('node_modules/'); folder = dirname(folder)) {
    // Some packages have a package.json without a name in their folders.
    const file = join(folder, 'package.json');
    if (existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).version !== undefined) return folder;
  }
  throw new Error(`bundle.mjs: expected a package.json above ${input}; found none`);
}
