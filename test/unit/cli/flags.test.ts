import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseSync, Visitor } from 'oxc-parser';
import { advice, inFlags } from '../../../src/cli/flags.ts';
import { filesBelow } from '../../support/below.ts';
import { root } from '../../support/repository.ts';

/** Names that only callers of the library know: options, calls, and the word for what `run` does. */
const ofTheLibrary =
  /\b(?:\w+Ms|\w+Bytes|maxRunning|onLimit|onExit|killSignal|bindTo(?:\.pid)?|process\.pid|(?:task|store|session)\.\w+\(\)|option env|stdin: ?'\w+'|replace: true|elsewhere: ?'\w+')|\b[Ss]pawn (?:it|the task)\b/;

/** The messages that are in a source file. What is put into one stands in quotes, or is a number. */
function messagesIn(path: string): string[] {
  const messages: string[] = [];
  const { program } = parseSync(path, readFileSync(path, 'utf8'));
  new Visitor({
    Literal: ({ value }) => {
      if (typeof value === 'string') messages.push(value);
    },
    TemplateLiteral: ({ quasis }) => {
      messages.push(quasis.map(({ value }) => value.cooked ?? '').join('7'));
    },
  }).visit(program);
  // What is logged for people who debug, and what is no sentence, is no message.
  return messages.filter((text) => / [a-z]+ /.test(text));
}

test('the command line translates option names in an error of the library to flags', () => {
  const paths = ['api', 'engine'].flatMap((room) => filesBelow(join(root, 'src', room)));
  const messages = paths.filter((path) => path.endsWith('.ts')).flatMap(messagesIn);
  assert.ok(messages.length > 100);
  const wrong = messages.map(inFlags).filter((text) => ofTheLibrary.test(text));
  assert.deepEqual(wrong, []);
  assert.ok(
    messages.some((text) => ofTheLibrary.test(text)),
    'there are some to translate',
  );
});

test('each advice that is translated exists in a message of the library', () => {
  const paths = filesBelow(join(root, 'src')).filter(
    (path) => /\.ts$/.test(path) && !/flags\.ts$/.test(path),
  );
  const said = paths.flatMap(messagesIn).join('\n');
  const useless = advice.filter(([words]) => said.search(words) === -1);
  assert.deepEqual(useless, []);
});
