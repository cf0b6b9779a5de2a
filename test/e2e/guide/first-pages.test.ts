import { notOnWindows } from '../../support/not-on-windows.ts';
import { testPages } from '../../support/reader.ts';

testPages(
  [
    'README.md',
    'docs/api.md',
    'docs/guide/getting-started.md',
    'docs/guide/at-a-terminal.md',
    'docs/guide/top.md',
    'docs/guide/dashboard.md',
  ],
  notOnWindows('the samples are for shells of Unix'),
);
