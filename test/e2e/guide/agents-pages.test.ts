import { notOnWindows } from '../../support/not-on-windows.ts';
import { testPages } from '../../support/reader.ts';

testPages(
  [
    'docs/guide/agents-with-a-shell.md',
    'docs/guide/agents-by-mcp.md',
    'docs/guide/in-your-own-agent.md',
    'docs/guide/restarts.md',
  ],
  notOnWindows('the samples are for shells of Unix'),
);
