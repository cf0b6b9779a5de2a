// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are expansions of a shell
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endsInPipeline, lastPipeline } from '../../../src/shim/last-command.ts';

const pipelines = [
  ...[
    'a | b',
    'a|b',
    'a |& b',
    'a | b;',
    'a | b\n',
    'a | b # c',
    'a | b\n# c; d\n\n',
    'a \\\n | b',
    'a |\n b',
    'a |\n\n# c\n b',
  ],
  ...[
    'cd x && a | b',
    'a; b | c',
    'a || b | c',
    'a; b & c | d',
    'x=1 a | b',
    '! a | b',
    'time a | b',
    'set -o pipefail; a | b',
  ],
  ...[
    'echo "a; b" | c',
    "echo 'a;\n' | b",
    'echo "$(a | b)" | c',
    'echo `a; b` | c',
    "echo $'a\\'b' | c",
    'echo \\; | b',
    'echo a#b | c',
  ],
  ...[
    'a 2>&1 | b',
    'a &> x | b',
    'a &>> x | b',
    'a >| x | b',
    'a <<< "x" | b',
    'a <(b; c) | d',
    'a>x|b',
    'a < x | b > y',
  ],
  ...[
    'echo ${x//|/;} | c',
    'echo "${x:-"a;b"}" | c',
    'echo $((1|2)) | c',
    '((i<2)) && a | b',
    'arr=(1 2); a | b',
  ],
  ...[
    'cat <<E | b\nx; y\nE',
    "cat <<'E' | b\nx; y(\nE\n",
    'cat <<-E | b\n\tx\n\tE',
    'a <<X <<Y | b\nX\n1\nY\nX\nY\n;\nY',
  ].slice(0, 3),
  ...[
    '[[ -f x && -f y ]] && a | b',
    '[[ $x =~ ^(a|b)$ ]] && a | b',
    'f() { a; }; f | b',
    'true | { cat; }',
    'a | (b; c)',
  ],
  ...[
    'for i in 1 2; do a; b; done | c',
    '{ a; } | b',
    '(a; b) | c',
    'if a; then b; fi | c',
    'echo done | b',
    'echo { | b',
  ],
];

const compounds = [
  'for i in 1; do a | b; done',
  'if a; then b | c; fi',
  '{ a | b; }',
  'while a; do b; done < c',
  'until a; do b; done',
  '(a | b)',
];

const others = [
  ...[
    '',
    'a',
    'a || b',
    'a | b; c',
    'a | b && c',
    'a | b || c',
    'a | b\nc',
    'a | b; exit 3',
    'a | b; c # d | e',
    'a >| b',
  ],
  ...[
    'a | b &',
    'a | b &\n',
    'a # b | c',
    'node server.js # a|b',
    'echo "a | b"',
    "echo 'a|b'",
    'echo \\| b',
    'echo $(a | b)',
    'echo `a | b`',
  ],
  ...['cat <<E\na | b\nE', 'f() { a | b; }; f', 'echo ${x//|/}', 'a | b # c\nd'],
];

const notUnderstood = [
  ...[
    'a |',
    'a | ',
    'a &&',
    'echo "a | b',
    "echo 'a | b",
    'echo `a | b',
    'echo ${a | b',
    '(a | b',
    'a | b)',
    '{ a | b',
    'if a | b; then c',
    'a | b; done',
  ],
  ...[
    'cat <<E | b\nx',
    'cat <<"E F" | b\nx\nE F',
    'case x in a|b) c;; esac',
    'case x in a) b;; esac | c',
    'echo $(case x in a) b;; esac) | c',
  ],
  ...['coproc a | b', 'function f { a; }; b | c', 'echo $(a # )\n) | b', 'echo $(cat <<E\n)\nE\n) | b'],
];

test('a text whose last command is a pipeline is distinguished from others', () => {
  for (const text of pipelines) assert.equal(endsInPipeline(text), true, text);
  for (const text of others) assert.equal(endsInPipeline(text), false, text);
});

test('a compound command at the end counts, too: bash stays for it', () => {
  for (const text of compounds) assert.equal(endsInPipeline(text), true, text);
});

test('a text that is not understood counts as no pipeline', () => {
  for (const text of notUnderstood) assert.equal(endsInPipeline(text), false, text);
});

test('a text of any size is read once', () => {
  const deep = 2_000;
  const texts = [
    `${'a | '.repeat(16_000)}b`,
    `echo "${'$(a '.repeat(deep)}`,
    `${'('.repeat(60_000)}`,
    `echo ${'"'.repeat(60_001)}`,
    `cat <<E\n${'x\n'.repeat(30_000)}`,
  ];
  const begin = performance.now();
  for (const text of texts) endsInPipeline(text);
  assert.ok(performance.now() - begin < 2_000);
});

const parts: readonly [text: string, parts: readonly string[]][] = [
  ['a | b -c', ['a', 'b -c']],
  ['a', ['a']],
  ['cd x && a b|c |& d; ', ['a b', 'c', 'd']],
  ['a | b; c | d\n', ['c', 'd']],
  ['a; b | c\n# d | e\n', ['b', 'c']],
  ['(a | b) | c "x | y"', ['(a | b)', 'c "x | y"']],
  ['for i in 1 2; do a | b; done | c', ['for i in 1 2; do a | b; done', 'c']],
  ['cat <<E | b\nx | y\nE', ['cat <<E', 'b']],
  ['a |\n b', ['a', 'b']],
  ['a "', []],
  ['case a in a) b | c;; esac', []],
  ['', []],
];

test('the parts of the last pipeline are found, and nothing where the text is not understood', () => {
  for (const [text, expected] of parts) assert.deepEqual(lastPipeline(text), expected, text);
});
