import { z } from 'zod';
import { endedStatuses } from '../model/words.ts';

const statuses = ['queued', 'starting', 'running', 'killing', ...endedStatuses] as const;

/** A task in an answer: what of a snapshot a model needs, under the same names. */
export const taskSchema = z.object({
  taskId: z.string(),
  name: z.string().nullable(),
  command: z.string().describe('its beginning, when it is long'),
  status: z
    .enum(statuses)
    .describe('completed, failed, killed, timed_out and lost are final; completed means exit code 0'),
  statusReason: z.string().nullable(),
  exitCode: z.int().nullable(),
  killSignal: z.string().nullable(),
  durationMs: z.number().nullable(),
  timeoutMs: z.number().nullable(),
  pid: z.int().nullable(),
  leftovers: z
    .array(z.object({ pid: z.int(), command: z.string() }))
    .describe('processes of the task that still run although it has ended'),
});

/** Where a task's output is. */
const outputPlace = {
  path: z.string().describe('the file with the whole output'),
  bytes: z.number().describe('written so far'),
};

/** A stretch of output in an answer. Offsets count bytes as the command wrote them. */
export const outputSchema = z.object({
  text: z.string(),
  offset: z.number(),
  nextOffset: z.number().describe('read on from here'),
  omittedBytes: z.number().describe('bytes before this text that are not in it'),
  more: z.boolean().describe('whether more is there already, or can still come'),
  ...outputPlace,
});

/** The completions that ride on an answer: the tasks that have ended, each told once. */
export const completionsSchema = z.array(
  taskSchema.extend({ output: z.object({ preview: z.string(), truncated: z.boolean(), ...outputPlace }) }),
);

/** What any answer can carry beside its own fields. */
export const ridingFields = {
  completions: completionsSchema
    .optional()
    .describe('tasks that ended since you were last told; each is told once'),
  moreCompletions: z.number().optional().describe('so many more are told with the next answers'),
};

/** A schema as clients get it: of the dialect it says nothing, since what is in it means the same in all. */
export function jsonSchema(schema: z.ZodType): Record<string, unknown> & { type: 'object' } {
  // `io: input` leaves objects open, so that a client with an older schema accepts a new field.
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return { ...rest, type: 'object' };
}
