import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommandLine } from '../../support/command-line.ts';
import { Terminal } from '../../support/terminal.ts';

for (const columns of [60, 80, 120, 200]) {
  test(`on a terminal of ${columns} columns no row wraps: columns are left out`, async () => {
    await using cli = new CommandLine();
    const folder = join(cli.base, `${'ordner-漢字'.repeat(8)}`);
    mkdirSync(folder);
    await cli.spawn(`sleep 1000 # ${'漢字👍'.repeat(60)}`, '-n', '개발-서버-'.repeat(6), '-C', folder);
    await cli.ended(`exit 3 # ${'x'.repeat(300)}`, '-n', 'a');
    await cli.ended('exit 4');
    await using terminal = await Terminal.open(cli.base, {
      command: `${cli.inShell} ps -a; ${cli.inShell} ps -a --all-sessions; echo end; sleep 1000`,
      env: { ...cli.environment(), LANG: 'C.UTF-8' },
      columns,
    });
    const screen = await terminal.shows(/^end$/m);
    const lines = screen.split('\n');
    assert.equal(lines.length, 9, screen);
    const [heading = '', first = '', second = '', third = '', everywhere = ''] = lines;
    for (const [index, line] of [first, second, third].entries())
      assert.match(line, index === 0 ? /^bgb-\w+ +개발-서/ : /^bgb-\w+ +[a-] +failed [34] /, screen);
    assert.match(heading, columns >= 80 ? /^TASK +NAME +STATUS +CREATED/ : /^TASK +NAME +STATUS +COMMAND$/);
    assert.match(everywhere, /^TASK +SESSION/);
    assert.equal(/ FOLDER +COMMAND$/.test(heading), columns >= 120);
    assert.match(first, columns >= 120 ? /…[^ ]*字 +sleep 1000 # 漢/ : /sleep 1000 # /);
  });
}
