import { pathToFileURL } from 'node:url';

/** The program that runs outlive where its first line asks for node: that of the tests, or the one that `npm run prove -- bun` names. */
export const runtime = process.env.OUTLIVE_TEST_RUNTIME ?? process.execPath;

/** Whether that is Bun. */
export const onBun = /[/\\]bun(?:\.exe)?$/.test(runtime);

/** Options of a test that has nothing to test on Bun. */
export function notOnBun(reason: string): { skip: string | false } {
  return { skip: onBun && reason };
}

/** The environment `env` with what has the program load modules before its own, on Node and on Bun. */
export function loadingFirst(env: NodeJS.ProcessEnv, ...files: readonly string[]): NodeJS.ProcessEnv {
  const imports = files.map((file) => `--import=${pathToFileURL(file).href}`);
  const preloads = files.map((file) => `--preload=${file}`);
  return {
    ...env,
    NODE_OPTIONS: [env.NODE_OPTIONS ?? '', ...imports].join(' ').trim(),
    // Bun does not read the options of Node, and takes no URL of data.
    BUN_OPTIONS: [env.BUN_OPTIONS ?? '', ...preloads].join(' ').trim(),
  };
}
