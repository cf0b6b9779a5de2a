import * as z from 'zod';
import type { Task } from '../api/task.ts';
import { OutliveError } from '../errors/error.ts';
import { isFleetReference } from '../model/fleet-reference.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { readThere } from './fleet/read-there.ts';
import { characterAt } from './text/character-at.ts';
import { presentOutput, presentTask, sayOutput, sayTask } from './text/present.ts';
import { type Found, sayFound, searchMs } from './text/say-found.ts';
import { foundSchema, outputSchema, ridingFields, taskSchema } from './text/schemas.ts';
import { defineTool, type ToolAnswer } from './tool.ts';

const defaultBytes = 8_192;
const mostBytes = 65_536;

const input = z.strictObject({
  task: z.string().min(1).describe('taskId or name'),
  offset: z.int().min(0).optional().describe('byte to begin at; without it: the end of the output'),
  head: z.boolean().optional().describe('the beginning instead of the end'),
  pattern: z
    .string()
    .min(1)
    .optional()
    .describe('a regular expression: only the lines in which it matches, from the beginning or offset on'),
  max_bytes: z
    .int()
    .min(1)
    .max(mostBytes)
    .optional()
    .describe(`how many bytes at most; default ${defaultBytes}`),
  raw: z.boolean().optional().describe('show escape sequences and progress bars as they were written'),
  stream: z
    .enum(['stdout', 'stderr'])
    .optional()
    .describe('stdout, the default, holds both, unless the task keeps them apart'),
});

/** Reads a task's output: its end, its beginning, from an offset, or the lines with a pattern. */
export const output = defineTool({
  name: 'output',
  title: 'Read output',
  description: `Reads what a task has written, also while it runs and after it has ended: the last max_bytes of it, the beginning (head), from offset on, or the lines in which a pattern matches. To see what is new since the last look, give the offset at which that answer says to read on. It answers at once; to be told of the end, of a line, a port or silence, use "wait" or "watch" instead of calling this again and again.`,
  input,
  output: z.object({
    task: taskSchema,
    output: outputSchema.optional(),
    found: foundSchema.optional(),
    ...ridingFields,
  }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  async call(args, call) {
    const { clientSession, abortSignal } = call;
    if (args.head === true && args.offset !== undefined) throw twoBeginnings();
    if (isFleetReference(args.task)) return await readThere(args, args.max_bytes ?? defaultBytes, call);
    const snapshot = clientSession.session.find(args.task);
    const task = clientSession.session.task(snapshot.taskId);
    return args.pattern === undefined
      ? await page(task, snapshot, args)
      : await search(task, snapshot, { ...args, pattern: args.pattern }, abortSignal);
  },
});

type Args = z.infer<typeof input>;

function twoBeginnings(): OutliveError {
  return new OutliveError('INVALID_ARGUMENT', 'expected either head or offset; found both. Leave one out.');
}

async function page(task: Task, snapshot: TaskSnapshot, args: Args): Promise<ToolAnswer> {
  const { max_bytes: maxBytes = defaultBytes, stream = 'stdout', raw = false } = args;
  const offset = args.offset ?? (args.head === true ? 0 : undefined);
  const begin = async (at: number): Promise<number> =>
    await characterAt(async (from, most) => await task.read({ offset: from, maxBytes: most, stream }), at);
  const chunk =
    offset === undefined
      ? await task.tail({ maxBytes, stream })
      : await task.read({ offset: await begin(offset), maxBytes, stream });
  const path = stream === 'stderr' ? (snapshot.output.stderrPath ?? '') : snapshot.output.path;
  const isBeyond = offset !== undefined && chunk.size < offset;
  const beyond = isBeyond
    ? `\n[outlive: it has written ${chunk.size} bytes, and you asked for byte ${offset}. If that was there before, another program has truncated the output: read it without an offset]`
    : '';
  const next = chunk.more ? `\n[read on from offset ${chunk.nextOffset}]` : '';
  return {
    text: `${sayTask(snapshot)}\n${sayOutput(chunk, path, raw)}${beyond}${next}`,
    structured: { task: presentTask(snapshot), output: presentOutput(snapshot, chunk, raw, stream) },
    tells: [],
  };
}

async function search(
  task: Task,
  snapshot: TaskSnapshot,
  args: Args & { readonly pattern: string },
  abortSignal: AbortSignal,
): Promise<ToolAnswer> {
  const { pattern, stream = 'stdout', offset = 0, max_bytes: most = defaultBytes } = args;
  const late = AbortSignal.timeout(searchMs);
  const found: Found = { matches: [], next: null, isLate: false };
  let bytes = 0;
  const options = { from: offset, stream, wait: false, maxPerSecond: null };
  for await (const { line, lineOffset } of task.watch(
    { regexp: pattern },
    { ...options, abortSignal: AbortSignal.any([abortSignal, late]) },
  )) {
    bytes += Buffer.byteLength(line) + 1;
    if (bytes > most && found.matches.length > 0) {
      found.next = lineOffset;
      break;
    }
    found.matches.push({ offset: lineOffset, line });
  }
  found.isLate = late.aborted && found.next === null;
  return {
    text: `${sayTask(snapshot)}\n${sayFound(found)}`,
    structured: { task: presentTask(snapshot), found: { matches: found.matches, next: found.next } },
    tells: [],
  };
}
