import { notOnWindows } from '../../support/not-on-windows.ts';
import { testPages } from '../../support/reader.ts';

testPages(
  ['docs/guide/interactive-tasks.md', 'docs/guide/waiting.md', 'docs/guide/stopping.md'],
  notOnWindows('the samples are for shells of Unix'),
);
