import type { Piece } from './piece.ts';

/** A file of an agent, and what it is to hold. */
export interface ConfigTarget {
  readonly path: string;
  /** `whole`: nothing but one piece without a path, the text of the file. */
  readonly format: 'json' | 'toml' | 'whole';
  readonly pieces: readonly Piece[];
}
