// Records the first minute of the README from a real run: node scripts/first-minute.mjs
// A shell runs in a terminal of outlive's own, the commands are typed into it, and each state of its screen becomes a frame of
// docs/figures/first-minute.svg. Long pauses are cut short, and the folder of the recording is shown as ~; all else is as it was.
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, install, root } from './prepare.mjs';

const size = { cols: 92, rows: 20 };
const longestPauseMs = 1500;
const prompt = '$ ';
const commands = [
  "outlive run -n build 'for i in 1 2 3; do echo step $i; sleep 1; done; exit 3'",
  'outlive ps',
  'kill -KILL $$',
  'outlive wait build --for exit > /dev/null; outlive logs build',
  'outlive show build | head -n 8',
];

process.chdir(root);
install();
await build();
const base = mkdtempSync(join(tmpdir(), 'outlive-minute-'));
try {
  writeFileSync('docs/figures/first-minute.svg', svgOf(await record()));
} finally {
  rmSync(base, { recursive: true, force: true });
}

async function record() {
  const { openStore } = await import('../dist/index.js');
  symlinkSync(join(root, 'dist/bin/outlive.cjs'), join(base, 'outlive'));
  const store = await openStore({ dir: join(base, 'recorder') });
  const session = await store.session('first-minute');
  const env = {
    HOME: base,
    OUTLIVE_HOME: join(base, 'store'),
    PATH: `${base}:${process.env.PATH}`,
    PS1: prompt,
  };
  const command = `cd; export PS1='${prompt}'; bash --norc -i`;
  const shell = await session.spawn(command, {
    tty: size,
    env,
    timeoutMs: 120_000,
  });
  const frames = [];
  const look = async () => {
    const { cells, cursor } = await shell.screen({ cells: true });
    const state = JSON.stringify([cells, cursor.y]);
    if (frames.at(-1)?.state !== state) frames.push({ state, cells, at: performance.now() });
  };
  const asks = (line) => line === '$';
  // A shell inside of another one, which stays when the inner one is killed. The recording begins with an empty screen.
  for (const line of ['bash --norc -i', 'clear', ...commands]) {
    await until(look, shell, asks);
    if (line === commands[0]) frames.splice(0, frames.length - 1);
    await shell.send(line);
    await until(look, shell, (shown) => shown.length >= Math.min(line.length, size.cols - prompt.length - 1));
    await shell.send('', { press: ['enter'] });
    await until(look, shell, (shown) => !line.endsWith(shown.replace(prompt, '')) || asks(shown));
  }
  await until(look, shell, asks);
  await shell.kill();
  await store.close();
  return frames;
}

/** Looks until the line of the cursor is as wanted. */
async function until(look, shell, isSo) {
  for (;;) {
    await look();
    const { lines, cursor } = await shell.screen();
    if (isSo((lines[cursor.y] ?? '').trimEnd())) return;
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}

/** One strip of all frames, which is moved on by a frame at a time. */
function svgOf(frames) {
  const rowHeight = 18;
  const width = size.cols * 8.2 + 24;
  const height = size.rows * rowHeight + 24;
  const shownMs = frames.map(({ at }, index) =>
    Math.min(longestPauseMs, Math.max(80, (frames[index + 1]?.at ?? at + 4000) - at)),
  );
  shownMs[shownMs.length - 1] = 5000;
  const totalMs = shownMs.reduce((sum, ms) => sum + ms, 0);
  let passed = 0;
  const steps = shownMs.map((ms, index) => {
    const step = `${((100 * passed) / totalMs).toFixed(2)}%{transform:translateY(${-index * height}px)}`;
    passed += ms;
    return step;
  });
  const strip = frames.map(({ cells }, index) => {
    const rows = cells.map((runs, row) => textOf(runs, index * height + row * rowHeight + 26));
    return rows.join('');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>The first minute: a command goes on after its shell was killed</title>
<style>
svg{--paper:#f6f8fa;--ink:#1f2328;--faint:#59636e;--red:#cf222e;--green:#1a7f37;--amber:#9a6700;--blue:#0969da}
@media (prefers-color-scheme:dark){svg{--paper:#151b23;--ink:#e6edf3;--faint:#9198a1;--red:#ff7b72;--green:#3fb950;--amber:#d29922;--blue:#58a6ff}}
.paper{fill:var(--paper)}text{fill:var(--ink);font:13.5px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;white-space:pre}
.b{font-weight:700}.d{fill:var(--faint)}.c1{fill:var(--red)}.c2{fill:var(--green)}.c3{fill:var(--amber)}.c4,.c6{fill:var(--blue)}
#strip{animation:strip ${(totalMs / 1000).toFixed(1)}s step-end infinite}
@keyframes strip{${steps.join('')}}
@media (prefers-reduced-motion:reduce){#strip{animation:none;transform:translateY(${-(frames.length - 1) * height}px)}}
</style>
<rect class="paper" width="100%" height="100%" rx="8"/>
<g id="strip">
${strip.join('\n')}
</g>
</svg>
`;
}

function textOf(runs, y) {
  if (runs.every(({ text }) => text.trim() === '')) return '';
  const spans = runs.map(({ text, fg, bold, dim }) => {
    const names = [bold ? 'b' : '', dim ? 'd' : '', typeof fg === 'number' ? `c${fg % 8}` : ''].filter(
      Boolean,
    );
    const escaped = text
      .replaceAll(base, '~')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;');
    return names.length === 0 ? escaped : `<tspan class="${names.join(' ')}">${escaped}</tspan>`;
  });
  return `<text x="12" y="${y}" xml:space="preserve">${spans.join('').trimEnd()}</text>`;
}
