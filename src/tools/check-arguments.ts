import type { z } from 'zod';
import { sayUnknown } from '../errors/check-options.ts';
import { OutliveError } from '../errors/error.ts';

/** Names that the other tools of agents use for an argument, and our name for it. */
const otherNames: Readonly<Record<string, string>> = {
  cmd: 'command',
  workdir: 'cwd',
  working_directory: 'cwd',
  dir_path: 'cwd',
  environment: 'env',
  task_id: 'task',
  bash_id: 'task',
  shell_id: 'task',
  id: 'task',
  name: 'task',
  regex: 'pattern',
  signal: 'kill_signal',
};

/** The arguments of a call as they came. */
export type Arguments = Readonly<Record<string, unknown>>;

/**
 * The arguments of a call, checked against the tool's schema.
 * @throws OutliveError `INVALID_ARGUMENT`, which names each argument that is wrong.
 */
export function checkArguments<Input extends z.ZodObject>(
  tool: { readonly name: string; readonly input: Input },
  args: unknown,
): z.infer<Input> {
  const parsed = tool.input.safeParse(args ?? {});
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) =>
    issue.code === 'unrecognized_keys'
      ? `unknown: ${sayUnknown(issue.keys, Object.keys(tool.input.shape)).replace(/\.$/, '')}`
      : `${issue.path.join('.') || 'arguments'}: ${issue.message}`,
  );
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected other arguments of the tool ${JSON.stringify(tool.name)}: ${faults.join('; ')}. Nothing was done; call it again with what its schema describes.`,
  );
}

function isFields(args: unknown): args is Arguments {
  return typeof args === 'object' && args !== null && !Array.isArray(args);
}

/**
 * The arguments of a call as they are clearly meant. Accepts an argument under another name; a number, a flag or an
 * object as text; and `null` for an argument that may be left out.
 * @param meant translates the arguments of other tools that agents have.
 */
export function argumentsMeant(
  shape: Shape,
  args: unknown,
  meant: (args: Arguments) => Arguments = (same) => same,
): unknown {
  return isFields(args) ? asMeant(shape, meant(args)) : args;
}

type Shape = Readonly<Record<string, z.core.$ZodType>>;

function asMeant(shape: Shape, args: Arguments): Arguments {
  const named = Object.entries(args).map(([name, value]) => [nameIn(shape, args, name), value] as const);
  const read = named.map(([name, value]) => [name, readAs(shape, name, value)] as const);
  return Object.fromEntries(read.filter(([, value]) => value !== undefined));
}

/** The argument that a name means; the name itself if that is not clear, or the argument is given twice. */
function nameIn(shape: Shape, args: Arguments, name: string): string {
  if (Object.hasOwn(shape, name)) return name;
  const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replaceAll('-', '_');
  const meant = Object.hasOwn(shape, snake) ? snake : (otherNames[snake] ?? snake);
  return Object.hasOwn(shape, meant) && !Object.hasOwn(args, meant) ? meant : name;
}

/** The value, or the JSON in its text if the schema takes only that. `undefined` if it was left out. */
function readAs(shape: Shape, name: string, value: unknown): unknown {
  const schema = Object.hasOwn(shape, name) ? (shape[name] as z.ZodType) : undefined;
  if (schema === undefined || schema.safeParse(value).success) return value;
  if (value === null && schema.safeParse(undefined).success) return undefined;
  if (typeof value !== 'string') return value;
  try {
    const read: unknown = JSON.parse(value);
    return schema.safeParse(read).success ? read : value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return value;
  }
}
