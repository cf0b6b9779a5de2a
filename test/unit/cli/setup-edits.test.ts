import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse as parseToml } from 'smol-toml';
import { jsonFormat } from '../../../src/cli/setup/edit-json.ts';
import { tomlFormat } from '../../../src/cli/setup/edit-toml.ts';
import {
  type Format,
  inserted,
  missingOf,
  type Piece,
  withoutInsertions,
} from '../../../src/cli/setup/piece.ts';

const server: Piece = {
  path: ['mcpServers', 'outlive'],
  value: { command: 'outlive', args: ['mcp'] },
};
const hook: Piece = {
  path: ['hooks', 'PostToolUse'],
  value: { hooks: [{ type: 'command', command: 'outlive completions --hook' }] },
  isElement: true,
  alike: /outlive\b.*\bcompletions\b/,
};
const table: Piece = { path: ['mcp_servers', 'outlive'], value: { command: 'outlive', args: ['mcp'] } };

function put(format: Format, text: string, piece: Piece): string {
  assert.equal(format.stateOf(text, piece, 'FILE'), 'absent');
  const insertions = format.insert(text, piece, 'FILE');
  const longer = inserted(text, insertions);
  assert.equal(format.stateOf(longer, piece, 'FILE'), 'same');
  assert.equal(withoutInsertions(longer, insertions), text);
  return longer;
}

/** Puts a piece in and takes it out by its looks alone. */
function thereAndBack(format: Format, text: string, piece: Piece): string {
  const made = missingOf(format.dataOf(text, 'FILE'), piece.path);
  return format.remove(put(format, text, piece), piece, made, 'FILE');
}

const jsonCases: Record<string, [before: string, after: string]> = {
  'an empty file': [
    '',
    '{\n  "mcpServers": {\n    "outlive": {\n      "command": "outlive",\n      "args": ["mcp"]\n    }\n  }\n}\n',
  ],
  'an object on one line': [
    '{ "a": 1 }',
    '{ "a": 1, "mcpServers": { "outlive": { "command": "outlive", "args": [ "mcp" ] } } }',
  ],
  'tabs, a comment behind the last member, and CRLF': [
    '{\r\n\t"a": 1 // one\r\n}\r\n',
    '{\r\n\t"a": 1, // one\r\n\t"mcpServers": {\r\n\t\t"outlive": {\r\n\t\t\t"command": "outlive",\r\n\t\t\t"args": ["mcp"]\r\n\t\t}\r\n\t}\r\n}\r\n',
  ],
  'a trailing comma': [
    '{\n  "mcpServers": {\n    "b": {}, // the other one\n  },\n}\n',
    '{\n  "mcpServers": {\n    "b": {}, // the other one\n    "outlive": {\n      "command": "outlive",\n      "args": ["mcp"]\n    },\n  },\n}\n',
  ],
  'an empty object with a comment': [
    '{\n    // nothing yet\n    "mcpServers": {}\n}',
    '{\n    // nothing yet\n    "mcpServers": {\n        "outlive": {\n            "command": "outlive",\n            "args": ["mcp"]\n        }\n    }\n}',
  ],
};

for (const [what, [before, after]] of Object.entries(jsonCases)) {
  test(`a server is written into ${what} in the style of the file`, () => {
    assert.equal(put(jsonFormat, before, server), after);
  });
}

test('removing an entry that is recognized by its content restores the text', () => {
  for (const [before] of Object.values(jsonCases).slice(1))
    for (const piece of [server, hook]) assert.equal(thereAndBack(jsonFormat, before, piece), before);
  for (const before of ['a = 1\n', 'a = 1 # x\n\n[b]\nc = 2\n', '[mcp_servers.b]\r\ncommand = "x"\r\n'])
    assert.equal(thereAndBack(tomlFormat, before, table), before);
});

test('text that others have written around it meanwhile stays, comments included', () => {
  const text = put(jsonFormat, '{\n  "a": 1\n}\n', server)
    .replace('"mcpServers": {', '"mcpServers": {\n    // before\n    "x": {}, // x')
    .replace(/\n {2}\}\n\}\n$/, ', // after\n    "y": {}\n  }\n}\n');
  const made = [['mcpServers'], ['mcpServers', 'outlive']];
  const left = jsonFormat.remove(text, server, made, 'FILE');
  assert.equal(
    left,
    '{\n  "a": 1,\n  "mcpServers": {\n    // before\n    "x": {}, // x\n    // after\n    "y": {}\n  }\n}\n',
  );
  const toml = `${put(tomlFormat, 'a = 1\n', table)}env = { K = "v" }\n\n# of the next one\n[next]\nb = 2\n`;
  const changed: Piece = { ...table, value: { command: 'outlive', args: ['mcp'], env: { K: 'v' } } };
  assert.equal(tomlFormat.stateOf(toml, table, 'FILE'), 'other');
  assert.equal(tomlFormat.remove(toml, changed, [], 'FILE'), 'a = 1\n\n# of the next one\n[next]\nb = 2\n');
});

test('an existing hook with the same purpose is distinguished from others', () => {
  const own = JSON.stringify({
    hooks: { PostToolUse: [{ hooks: [{ command: 'outlive completions --ack' }] }] },
  });
  assert.equal(jsonFormat.stateOf(own, hook, 'FILE'), 'other');
  const another = own.replace('completions --ack', 'doctor');
  assert.equal(jsonFormat.stateOf(another, hook, 'FILE'), 'absent');
});

const refusedJson: Record<string, RegExp> = {
  '{ "a": 1 ': /CloseBraceExpected at line 1, column \d+/,
  '{\n  "a": 1\n  "b": 2\n}': /CommaExpected at line 3, column 3/,
  '[]': /an object at the top/,
  '"text"': /an object at the top/,
  '{ "mcpServers": [] }': /an object at "mcpServers"/,
  '{ "mcpServers": null }': /an object at "mcpServers"/,
  '{ "mcpServers": {}, "mcpServers": {} }': /"mcpServers" once/,
  '{ "mcpServers": { "outlive": 1, "outlive": 2 } }': /"mcpServers.outlive" once/,
  '<xml/>': /expected JSON/,
};

test('invalid JSON, and JSON with something else in the place, are refused with the place', () => {
  for (const [text, message] of Object.entries(refusedJson))
    assert.throws(() => jsonFormat.stateOf(text, server, 'FILE'), { code: 'CONFIG_UNUSABLE', message }, text);
});

test('invalid TOML, and TOML that cannot take a section, are refused', () => {
  const into = (text: string) => () => {
    tomlFormat.stateOf(text, table, 'FILE');
    tomlFormat.insert(text, table, 'FILE');
  };
  const refused = { code: 'CONFIG_UNUSABLE' };
  assert.throws(into('a = 1\na = 2\n'), { ...refused, message: /expected TOML in FILE; found .* at line 2/ });
  assert.throws(into('mcp_servers = { b = { command = "x" } }\n'), {
    ...refused,
    message: /a table in one line, or dotted names/,
  });
  assert.throws(into('mcp_servers = 1\n'), { ...refused, message: /a table \[mcp_servers\]/ });
});

const names = fc.oneof(
  fc.constantFrom('mcpServers', 'outlive', 'hooks', 'PostToolUse', '__proto__', '', 'é', '"'),
  fc.string({ maxLength: 5 }),
);
const leaf = fc.oneof(fc.string({ maxLength: 6 }), fc.integer(), fc.boolean(), fc.constant(null));
const { tree } = fc.letrec((tie) => ({
  tree: fc.dictionary(
    names,
    fc.oneof(
      { maxDepth: 3 },
      leaf,
      tie('tree'),
      fc.array(fc.oneof({ maxDepth: 2 }, leaf, tie('tree')), { maxLength: 3 }),
    ),
    { maxKeys: 4 },
  ),
}));
const spaces = fc.constantFrom(undefined, '\t', 2, 4, 1);
const lineEnds = fc.constantFrom('\n', '\r\n');

test('an entry can be added to and removed from any JSON file, or the file is refused', () => {
  let put = 0;
  fc.assert(
    fc.property(tree, spaces, lineEnds, fc.constantFrom(server, hook), (data, space, eol, piece) => {
      const text = JSON.stringify(data, null, space).replaceAll('\n', eol);
      let state: string;
      try {
        state = jsonFormat.stateOf(text, piece, 'FILE');
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'CONFIG_UNUSABLE');
        return;
      }
      if (state !== 'absent') return;
      put += 1;
      const insertions = jsonFormat.insert(text, piece, 'FILE');
      const longer = inserted(text, insertions);
      assert.equal(jsonFormat.stateOf(longer, piece, 'FILE'), 'same');
      assert.equal(withoutInsertions(longer, insertions), text);
      const made = missingOf(jsonFormat.dataOf(text, 'FILE'), piece.path);
      assert.deepEqual(JSON.parse(jsonFormat.remove(longer, piece, made, 'FILE')), JSON.parse(text));
    }),
    { numRuns: 500 },
  );
  assert.ok(put > 100, `${put}`);
});

test('a TOML section can be added and removed between any others', () => {
  const section = fc.constantFrom(
    '[a]\nb = 1 # c\n',
    '[[list]]\nx = "[not a section]"\n',
    '[mcp_servers.b]\ncommand = "x"\n',
    '[mcp_servers.b.env]\nK = "v"\n',
    '# only a comment\n',
    '\n',
    '["outlive.x"]\ny = """\n[mcp_servers.outlive]\n"""\n',
  );
  fc.assert(
    fc.property(fc.uniqueArray(section), fc.uniqueArray(section), lineEnds, (before, after, eol) => {
      const text = before.join('').replaceAll('\n', eol);
      const rest = after.filter((one) => !before.includes(one)).join('');
      const wanted = parseTomlOrNull(text + rest);
      if (wanted === null) return;
      const longer = put(tomlFormat, text, table) + rest;
      assert.deepEqual(parseToml(tomlFormat.remove(longer, table, [], 'FILE')), wanted);
    }),
  );
});

function parseTomlOrNull(text: string): unknown {
  try {
    return parseToml(text);
  } catch {
    return null;
  }
}

test('a file that is nested too deeply is refused with the place, in JSON and in TOML', () => {
  const lists = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const objects = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
  for (const value of [lists, objects])
    assert.throws(() => jsonFormat.stateOf(`{\n"a": ${value}}`, server, 'FILE'), {
      code: 'CONFIG_UNUSABLE',
      message: /at most 500 levels of lists and objects in FILE; found more at line 2, column \d+\./,
    });
  assert.throws(() => tomlFormat.stateOf(`a = ${lists}`, table, 'FILE'), { code: 'CONFIG_UNUSABLE' });
  // What stands in texts and comments is no level.
  put(jsonFormat, `{"a": "${'['.repeat(1_000)}" /* ${'{'.repeat(1_000)} */}`, server);
});
