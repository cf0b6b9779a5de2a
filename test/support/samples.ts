import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { root } from './repository.ts';

/** A fenced block of a page, as a reader would copy it. */
export interface Sample {
  readonly page: string;
  readonly line: number;
  readonly lang: string;
  readonly text: string;
  /** The first line of the HTML comment right before it, which readers do not see: how the test is to run it. */
  readonly note: string;
  /** The other lines of that comment: what the test puts before the text. */
  readonly lead: string;
  /** What the page says that it prints: the `text` block right after it. */
  readonly prints: string | null;
}

interface Block {
  readonly type: string;
  readonly lang?: string | null;
  readonly value?: string;
  readonly position?: { readonly start: { readonly line: number } };
  readonly children?: readonly Block[];
}

/** The fenced blocks of a page, in their order; a `text` block that says what another prints is part of that. */
export function samplesOf(page: string): Sample[] {
  const { children } = fromMarkdown(readFileSync(join(root, page), 'utf8')) as Block;
  return (children ?? []).flatMap((block, index, blocks) => {
    const before = blocks[index - 1];
    const after = blocks[index + 1];
    if (block.type !== 'code' || (isOutput(block) && before !== undefined && isRun(before))) return [];
    const comment = before?.type === 'html' ? (before.value ?? '').replace(/^<!--\s*|\s*-->$/g, '') : '';
    const [note = '', ...lead] = comment.split('\n');
    return [
      {
        page,
        line: block.position?.start.line ?? 0,
        lang: block.lang ?? '',
        text: block.value ?? '',
        note,
        lead: lead.map((line) => `${line}\n`).join(''),
        prints: after !== undefined && isRun(block) && isOutput(after) ? (after.value ?? '') : null,
      },
    ];
  });
}

/**
 * Whether a program printed what its page says. Ids, durations, dates, pids and ports are others in each run. Three
 * dots stand for any text, and as a line of their own for any lines. The REPL of `node` may be that of Bun: see scripts/prove/parts.mjs.
 */
export function printsAsSaid(printed: string, said: string): boolean {
  const pattern = plain(said)
    .split('\n')
    .map((line) => (line.trim() === '...' ? '(?:[^\n]*\n)*?' : `${escaped(line)}\n`))
    .join('');
  return new RegExp(`^${pattern}$`).test(`${plain(printed)}\n`);
}

function isRun({ type, lang }: Block): boolean {
  return type === 'code' && ['sh', 'ts', 'json'].includes(lang ?? '');
}

function isOutput({ type, lang }: Block): boolean {
  return type === 'code' && lang === 'text';
}

function plain(text: string): string {
  return text
    .replaceAll(/\r/g, '')
    .replaceAll(/Welcome to Bun \S+ \(Node\.js-compatible REPL.*/g, 'Welcome to Node.js v0.')
    .replaceAll(/bgb-[0-9a-f]{12}/g, 'bgb-ID')
    .replaceAll(/\d{4}-\d\d-\d\d[T ][\d:.]+Z?/g, 'DATE')
    .replaceAll(/(?<![\w.])\d+(?:\.\d+)? ?(?:ms|s|min|m|h)(?!\w)/g, 'TIME')
    .replaceAll(/\b(port|pid|process)([ =:]+)\d+/g, '$1$2N')
    .replaceAll(/[ \t]+$/gm, '')
    .trimEnd();
}

function escaped(line: string): string {
  return line
    .split('...')
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('[^\n]*');
}
