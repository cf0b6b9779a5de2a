import { findProgram } from './shells.ts';

/**
 * Variables by which runtimes with buffers of their own write at once although they write to a file: Python,
 * and programs of gfortran. (Node, Go, Rust, .NET and PHP do so by themselves; Perl, Ruby and mawk know no variable.)
 */
const variables: Readonly<Record<string, string>> = {
  PYTHONUNBUFFERED: '1',
  GFORTRAN_UNBUFFERED_PRECONNECTED: '1',
};

/** What `stdbuf` sets for a program that it starts; who has set it knows better. */
const stdbufVariable = '_STDBUF_O';

/** A way to run programs so that their lines are there when they print them. */
export interface Unbuffered {
  readonly environment: NodeJS.ProcessEnv;
  /** Words that stand in front of the command line. */
  readonly launcher: readonly string[];
}

/**
 * Makes programs write line by line, as far as they can be told from outside. What the user has set, or
 * removed, stays as it is.
 *
 * Programs that use C's own output are told by `stdbuf`, where it is: it replaces itself by the command, so it is
 * no process more, and knows by which library and variables its version works. That is LD_PRELOAD, which
 * programs that are linked statically or run as another user ignore. Standard error is left alone: it is not
 * buffered anyway, and by lines it would hold back prompts.
 * @param asked the variables that the caller named, null for those to be removed.
 */
export function unbuffered(
  environment: NodeJS.ProcessEnv,
  asked: Readonly<Record<string, unknown>>,
): Unbuffered {
  const isFree = (name: string): boolean => environment[name] === undefined && !Object.hasOwn(asked, name);
  const added = Object.entries(variables).filter(([name]) => isFree(name));
  const stdbuf = isFree(stdbufVariable) ? findProgram('stdbuf', process.env.PATH) : null;
  return {
    environment: { ...environment, ...Object.fromEntries(added) },
    launcher: stdbuf === null ? [] : [stdbuf, '-oL', '--'],
  };
}
