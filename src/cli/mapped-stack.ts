import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, resolve } from 'node:path';
import { isSystemError } from '../errors/error.ts';

/** A place in a stack, as V8 writes it. */
const place = /(\/[^():\n]+|[A-Za-z]:[\\/][^():\n]+):(\d+):(\d+)/g;

/**
 * The stack of an error with the places in our sources, for a report. The program is one file, and Node maps places by
 * itself only if it reads the map at each start.
 */
export function mappedStack(error: Error): string {
  const maps = new Map<string, SourceMap | null>();
  return (error.stack ?? String(error)).replace(
    place,
    (found, file: string, line: string, column: string) => {
      if (!maps.has(file)) maps.set(file, mapOf(file));
      const entry = maps.get(file)?.findEntry(Number(line) - 1, Number(column) - 1);
      if (entry === undefined || !('originalSource' in entry)) return found;
      const source = resolve(dirname(file), entry.originalSource);
      return `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
    },
  );
}

function mapOf(file: string): SourceMap | null {
  const path = `${file}.map`;
  if (!existsSync(path)) return null;
  try {
    return new SourceMap(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    // A report without our lines is better than none.
    if (!isSystemError(error) && !(error instanceof SyntaxError)) throw error;
    return null;
  }
}
