import { notOnWindows } from '../../support/not-on-windows.ts';
import { testPages } from '../../support/reader.ts';

testPages(
  [
    'docs/guide/limits-and-disk.md',
    'docs/guide/fleet.md',
    'docs/guide/other-machines.md',
    'docs/guide/troubleshooting.md',
    'docs/guide/faq.md',
    'docs/debugging.md',
  ],
  notOnWindows('the samples are for shells of Unix'),
);
