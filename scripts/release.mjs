// What a release must have, checked before it is built: node scripts/release.mjs v0.1.0
// Prints the part of the changelog that is about this version. Exit 1, with a line for each thing that is missing.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './prepare.mjs';

/** What keeps a version from being released, a sentence each; empty: nothing. */
export function missing(tag, { manifest, changelog, owners }) {
  const { version, repository, homepage, bugs } = manifest;
  const heading = headingOf(changelog, version);
  return [
    tag === `v${version}` ? '' : `expected the tag v${version}, as package.json has it; found ${tag}`,
    isPlaceholder(repository?.url)
      ? 'package.json: repository.url is a placeholder; name the repository'
      : '',
    isPlaceholder(homepage) ? 'package.json: homepage is a placeholder; name the page' : '',
    isPlaceholder(bugs?.url) ? 'package.json: bugs.url is a placeholder; name the page of the issues' : '',
    /@OWNER\b/.test(owners) ? '.github/CODEOWNERS: OWNER is a placeholder; name the people' : '',
    heading === undefined ? `CHANGELOG.md has no heading "## ${version}"` : '',
    heading?.includes('not released')
      ? `CHANGELOG.md says of ${version} that it is not released; give the date`
      : '',
  ].filter((sentence) => sentence !== '');
}

/** The part of the changelog that is about a version, without its heading. */
export function notesOf(changelog, version) {
  const heading = headingOf(changelog, version) ?? '';
  const [, rest = ''] = changelog.split(heading);
  return `${rest.split('\n## ')[0].trim()}\n`;
}

function headingOf(changelog, version) {
  return changelog.split('\n').find((line) => line === `## ${version}` || line.startsWith(`## ${version} `));
}

function isPlaceholder(url) {
  return url === undefined || /\bOWNER\b|example\.(?:com|org)|\.invalid\b/.test(url);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const read = (path) => readFileSync(join(root, path), 'utf8');
  const manifest = JSON.parse(read('package.json'));
  const changelog = read('CHANGELOG.md');
  const found = missing(process.argv[2], { manifest, changelog, owners: read('.github/CODEOWNERS') });
  for (const sentence of found) console.error(`release.mjs: ${sentence}`);
  if (found.length > 0) process.exit(1);
  process.stdout.write(notesOf(changelog, manifest.version));
}
