import { notOnWindows } from '../../support/not-on-windows.ts';
import { testPages } from '../../support/reader.ts';

testPages(
  [
    'docs/acp.md',
    'docs/adapters.md',
    'docs/cli.md',
    'docs/mcp.md',
    'docs/setup.md',
    'docs/terminals.md',
    'docs/comparison.md',
    'docs/performance.md',
    'docs/reliability.md',
    'CONTRIBUTING.md',
  ],
  notOnWindows('the samples are for shells of Unix'),
);
