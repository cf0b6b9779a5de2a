import { posix } from 'node:path';
import GithubSlugger from 'github-slugger';
import { fromMarkdown } from 'mdast-util-from-markdown';

interface Node {
  readonly type: string;
  readonly url?: string;
  readonly value?: string;
  readonly children?: readonly Node[];
}

/** What the checker asks of the repository; paths are from its top. */
export interface Repository {
  exists(path: string): boolean;
  read(path: string): string;
}

/** Pages link to each other hundreds of times, and to parse one costs more than all else here: each text is parsed once. */
const parsed = new Map<string, readonly Node[]>();

const pathInCode = /^(?:src|test|docs|scripts|examples|bench|\.ci|\.github)\/[\w./-]*$/;
const docInComment = /\bdocs\/[\w./-]+\.md\b/g;

/** The links, and the paths in `code`, of a Markdown file that lead nowhere. */
export function brokenLinks(file: string, repository: Repository): string[] {
  const nodes = nodesOf(repository.read(file));
  const paths = nodes.filter(({ type, value }) => type === 'inlineCode' && pathInCode.test(value ?? ''));
  return [
    ...nodes.flatMap(({ url }) => (url === undefined || leadsSomewhere(file, url, repository) ? [] : [url])),
    ...paths.flatMap(({ value = '' }) => (repository.exists(value) ? [] : [value])),
  ].map((target) => `${file}: ${target}`);
}

/** The pages of docs/ that a source file mentions and that are not there. */
export function brokenMentions(file: string, repository: Repository): string[] {
  const mentioned = repository.read(file).match(docInComment) ?? [];
  return mentioned.filter((page) => !repository.exists(page)).map((page) => `${file}: ${page}`);
}

function leadsSomewhere(file: string, url: string, repository: Repository): boolean {
  if (/^[a-z][a-z+.-]*:/i.test(url)) return true;
  const [path = '', anchor] = decodeURI(url).split('#');
  const target = path === '' ? file : posix.join(posix.dirname(file), path);
  if (!repository.exists(target)) return false;
  return anchor === undefined || !target.endsWith('.md') || anchorsOf(repository.read(target)).has(anchor);
}

function anchorsOf(markdown: string): Set<string> {
  const slugger = new GithubSlugger();
  const headings = nodesOf(markdown).filter(({ type }) => type === 'heading');
  return new Set(headings.map((heading) => slugger.slug(textOf(heading))));
}

function nodesOf(markdown: string): readonly Node[] {
  const known = parsed.get(markdown);
  if (known !== undefined) return known;
  const nodes = allNodes(fromMarkdown(markdown));
  parsed.set(markdown, nodes);
  return nodes;
}

function allNodes(node: Node): Node[] {
  return [node, ...(node.children ?? []).flatMap(allNodes)];
}

function textOf(node: Node): string {
  return node.value ?? (node.children ?? []).map(textOf).join('');
}
