// How many files the warm paths go through, and how often a call crosses from one file to another: a copy of the compiled
// sources notes the file of each function that is entered. Prints a table for docs/architecture.md.
//   node scripts/hops.mjs            the table
//   node scripts/hops.mjs --trace    the files of each path as well, in their order
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { parseSync } from 'oxc-parser';
import { build, filesUnder, install, root } from './prepare.mjs';

/** Each path is walked so often, after as many walks that are left out; the median is told. */
const rounds = 7;

process.chdir(root);
install();
await build();
const base = mkdtempSync(join(tmpdir(), 'outlive-hops-'));
try {
  await main(process.argv.includes('--trace'));
} finally {
  rmSync(base, { recursive: true, force: true });
}

async function main(traces) {
  copyInstrumented();
  const { openStore } = await import(join(base, 'src', 'index.js'));
  const { runStdioServer } = await import(join(base, 'src', 'mcp', 'index.js'));
  const store = await openStore({ dir: join(base, 'store') });
  const session = await store.session('hops');
  const rows = [];
  for (const [name, path] of Object.entries(pathsOf(session))) rows.push(await row(name, path, traces));
  const client = await connect(runStdioServer, store);
  rows.push(await row('MCP `run`', client.run, traces));
  await client.close();
  await store.close();
  console.log('| call | files | hops | hops into another folder |\n|---|---|---|---|');
  for (const { name, files, hops, folders } of rows)
    console.log(`| ${name} | ${files} | ${hops} | ${folders} |`);
}

/** What is walked: each gets itself ready, and then records from one moment to another. */
function pathsOf(session) {
  const consumer = session.completions()[Symbol.asyncIterator]();
  const started = async (command) => {
    const task = await session.spawn(command);
    while (task.snapshot().startedAt === null) await pause(5);
    await pause(50);
    return task;
  };
  const nextOf = async (task) => {
    for (;;) {
      const { value } = await consumer.next();
      if (value.taskId === task.id) return value;
    }
  };
  return {
    spawn: async (record) => {
      const task = await record(() => session.spawn('sleep 0.3'));
      await (await nextOf(task)).ack();
    },
    'exit to the consumer': async (record) => {
      const task = await started('sleep 0.2');
      await (await record(() => nextOf(task))).ack();
    },
    ack: async (record) => {
      const completion = await nextOf(await started('true'));
      await record(() => completion.ack());
    },
    kill: async (record) => {
      const task = await started('sleep 100');
      // The answer acknowledges.
      await record(() => task.kill());
    },
  };
}

/** A client of the server, in this process. */
async function connect(runStdioServer, store) {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const served = runStdioServer({ store, session: 'hops-mcp', input, output });
  const waiting = new Map();
  let rest = '';
  output.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      const message = JSON.parse(line);
      waiting.get(message.id)?.(message);
      waiting.delete(message.id);
    }
  });
  let id = 0;
  const call = (method, params) => {
    id += 1;
    const answer = new Promise((resolve) => waiting.set(id, resolve));
    input.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    return answer;
  };
  const clientInfo = { name: 'hops', version: '1' };
  await call('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
  input.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
  return {
    run: async (record) => {
      const { error } = await record(() =>
        call('tools/call', { name: 'run', arguments: { command: 'true' } }),
      );
      if (error !== undefined) throw new Error(`run: ${error.message}`);
      await pause(50);
    },
    close: async () => {
      input.end();
      await served;
    },
  };
}

async function row(name, path, traces) {
  const seen = [];
  const record = async (work) => {
    globalThis.__hops = [];
    try {
      return await work();
    } finally {
      seen.push(globalThis.__hops);
      globalThis.__hops = null;
    }
  };
  for (let round = 0; round < 2 * rounds; round += 1) await path(record);
  const figures = seen.slice(rounds).map((trace) => {
    const ways = trace.filter((file, at) => file !== trace[at - 1]);
    const folders = ways.map((file) => file.slice(0, file.lastIndexOf('/')));
    const changes = folders.filter((folder, at) => at > 0 && folder !== folders[at - 1]);
    return { files: new Set(trace).size, hops: ways.length - 1, folders: changes.length, ways };
  });
  figures.sort((a, b) => a.hops - b.hops);
  const median = figures[rounds >> 1];
  if (traces) console.log(`${name}: ${median.ways.join(' > ')}\n`);
  return { name, ...median };
}

/** The compiled sources with a note at the beginning of each function. */
function copyInstrumented() {
  symlinkSync(join(root, 'node_modules'), join(base, 'node_modules'));
  writeFileSync(join(base, 'package.json'), readFileSync('package.json'));
  for (const file of filesUnder('build/src')) {
    const to = join(base, file.slice('build/'.length));
    mkdirSync(join(to, '..'), { recursive: true });
    if (!file.endsWith('.js') || file.includes('/embedded/')) cpSync(file, to);
    else writeFileSync(to, instrumented(file));
  }
}

function instrumented(file) {
  const source = readFileSync(file, 'utf8');
  const note = ` globalThis.__hops?.push(${JSON.stringify(file.slice('build/src/'.length, -'.js'.length))});`;
  const places = [];
  collectBodies(parseSync(file, source).program, places);
  let text = '';
  let from = 0;
  for (const place of places.sort((a, b) => a - b)) {
    text += source.slice(from, place) + note;
    from = place;
  }
  return text + source.slice(from);
}

/** Where the bodies of functions begin. A function that is one expression has none, and calls what has one. */
function collectBodies(node, places) {
  if (typeof node !== 'object' || node === null) return;
  const isFunction = /^(?:FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type);
  if (isFunction && /^(?:BlockStatement|FunctionBody)$/.test(node.body?.type))
    places.push(node.body.start + 1);
  for (const value of Object.values(node)) collectBodies(value, places);
}
