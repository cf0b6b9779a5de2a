import type fc from 'fast-check';

/** Properties by what they say. They hold for any values, so they are tried a few times or many. */
export type Properties = Readonly<Record<string, fc.IRawProperty<unknown>>>;
