import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { before, test } from 'node:test';
import { Language, Parser } from 'web-tree-sitter';
import { batchScript, powershellScripts, windowsWrapper } from '../../../src/shim/windows.ts';

const parser: { now?: Parser } = {};

before(async () => {
  await Parser.init();
  const grammar = createRequire(import.meta.url).resolve('tree-sitter-powershell/package.json');
  const language = await Language.load(join(dirname(grammar), 'tree-sitter-powershell.wasm'));
  parser.now = new Parser();
  parser.now.setLanguage(language);
});

/** The first piece of a script that is no PowerShell, if there is one. */
function fault(script: string): string | null {
  const tree = parser.now?.parse(script.replace(/^\uFEFF/, ''));
  assert.ok(tree);
  if (!tree.rootNode.hasError) return null;
  const faults = tree.rootNode.descendantsOfType('ERROR').map((node) => node?.text ?? '');
  return faults[0] ?? 'something is missing';
}

test('PowerShell runs the command as PowerShell, whatever its last line', () => {
  assert.notEqual(fault('if ($x) {'), null, 'the parser finds faults');
  const commands = ['Get-Date', 'exit 3', 'cmd /c exit 4 # done', 'Write-Output "a; b" |\n  Out-Host'];
  for (const command of commands) {
    const { main, user } = powershellScripts(command);
    assert.equal(fault(main), null);
    assert.equal(fault(user), null, command);
    assert.ok(user.includes(command));
  }
});

test('PowerShell scripts begin with a UTF-8 BOM, without which the old version reads another code page', () => {
  const { main, user } = powershellScripts('Write-Output "ü"');
  assert.deepEqual([main[0], user[0]], ['\uFEFF', '\uFEFF']);
});

test('the wrapper is plain ASCII with CRLF line ends, and records the exit code before it ends', () => {
  for (const kind of ['cmd', 'powershell', 'posix'] as const) {
    for (const inFile of [true, false]) {
      const text = windowsWrapper({ kind, name: 'bash', separate: false, inFile });
      assert.match(text, /^\p{ASCII}*$/u);
      assert.equal(text.replaceAll('\r\n', '').includes('\n'), false);
      const steps = ['call :command <nul', '=%ERRORLEVEL%', 'exit %_outlive_code%', '\r\n:command'];
      const places = steps.map((step) => text.indexOf(step));
      assert.deepEqual(
        [...places].sort((a, b) => a - b),
        places,
      );
      assert.equal(text.includes('move /y'), kind !== 'powershell', 'PowerShell leaves its marker itself');
    }
  }
});

test('stderr goes to stdout, or to its own file', () => {
  const options = { kind: 'cmd', name: 'cmd', inFile: false } as const;
  assert.match(windowsWrapper({ ...options, separate: false }), />"%~dpn0\.out" 2>&1\r\n/);
  assert.match(windowsWrapper({ ...options, separate: true }), />"%~dpn0\.out" 2>"%~dpn0\.err"\r\n/);
});

test('a command of several lines for cmd is a batch file, in UTF-8 if necessary', () => {
  assert.equal(batchScript('echo a\necho b'), '@echo off\r\necho a\r\necho b\r\n');
  assert.equal(batchScript('echo ü'), '@echo off\r\nchcp 65001 >nul\r\necho ü\r\n');
});
