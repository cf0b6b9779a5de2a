import { z } from 'zod';
import { presentOutput, presentTask, sayOutput, sayTask } from '../present.ts';
import { outputSchema, ridingFields, taskSchema } from '../schemas.ts';
import { defineTool } from './tool.ts';

const defaultBytes = 8_192;
const mostBytes = 65_536;

/** Reads a task's output: its end, or from an offset. */
export const output = defineTool({
  name: 'output',
  title: 'Read output',
  description: `Reads what a task has written, also while it runs and after it has ended: the last max_bytes of it, or from offset on. To see what is new since the last look, give the nextOffset of that answer as offset. It answers at once; to be told of the end, of a line, a port or silence, use "wait" instead of calling this again and again.`,
  input: z.object({
    task: z.string().min(1).describe('taskId or name'),
    offset: z.int().min(0).optional().describe('byte to begin at; without it: the end of the output'),
    max_bytes: z
      .int()
      .min(1)
      .max(mostBytes)
      .optional()
      .describe(`at most so many bytes; default ${defaultBytes}`),
    raw: z.boolean().optional().describe('keep escape sequences and progress bars; default false'),
    stream: z
      .enum(['stdout', 'stderr'])
      .optional()
      .describe('stdout, the default, holds both, unless the task keeps them apart'),
  }),
  output: z.object({ task: taskSchema, output: outputSchema, ...ridingFields }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  async call(args, { desk }) {
    const { offset, max_bytes: maxBytes = defaultBytes, stream = 'stdout', raw = false } = args;
    const snapshot = await desk.find(args.task);
    const task = desk.session.task(snapshot.taskId);
    const chunk =
      offset === undefined
        ? await task.tail({ maxBytes, stream })
        : await task.read({ offset, maxBytes, stream });
    const read = presentOutput(snapshot, chunk, raw, stream);
    const next = read.more ? `\n[read on from offset ${read.nextOffset}]` : '';
    return {
      text: `${sayTask(snapshot)}\n${sayOutput(read)}${next}`,
      structured: { task: presentTask(snapshot), output: read },
      tells: [],
    };
  },
});
