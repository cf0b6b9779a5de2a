import * as z from 'zod';
import { endedStatuses } from '../../model/words.ts';

const statuses = [
  ...['queued', 'starting', 'running', 'killing', ...endedStatuses, 'revoked', 'unknown'],
] as const;

/** A task in an answer: the fields of a snapshot that a model needs, under the same names. */
export const taskSchema = z.object({
  taskId: z.string(),
  name: z.string().nullable(),
  command: z.string().describe('its beginning, when it is long'),
  status: z
    .enum(statuses)
    .describe(
      'completed, failed, killed, timed_out and lost are final; completed means exit code 0. Of tasks on other hosts also revoked, which is final, and unknown: the host is lost, and the task may run',
    ),
  statusReason: z.string().nullable(),
  exitCode: z.int().nullable(),
  exitSignal: z.string().nullable(),
  durationMs: z.number().nullable(),
  lastSeenAt: z
    .number()
    .nullable()
    .describe(
      'of a task whose end nobody has seen: when it last showed that it lived, in epoch milliseconds',
    ),
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

const erasedBytes = z
  .number()
  .nullable()
  .describe('bytes that were written and erased, as far as that was noticed; null: some may be');

/** A stretch of output in an answer. Offsets count bytes as the command wrote them. */
export const outputSchema = z.object({
  head: z.string().optional().describe('of a command that failed: the beginning of its output'),
  text: z.string(),
  offset: z.number(),
  nextOffset: z.number().describe('read on from here'),
  omittedBytes: z.number().describe('bytes before this text that are not in it'),
  beginsAt: z
    .number()
    .describe(
      'offset of the first byte in the file: 0, until somebody makes the file shorter; offsets go on',
    ),
  more: z.boolean().describe('whether more is there already, or can still come'),
  ...outputPlace,
  erasedBytes,
});

/** The lines in which a pattern matches. */
export const foundSchema = z.object({
  matches: z.array(z.object({ offset: z.number(), line: z.string() })),
  next: z.number().nullable().describe('search on from here; null: all was searched'),
});

/** The completions that ride on an answer: the tasks that have ended, each told once. */
export const completionsSchema = z.array(
  taskSchema.extend({
    output: z.object({ preview: z.string(), truncated: z.boolean(), ...outputPlace, erasedBytes }),
  }),
);

/** The lines that ride on an answer: what watches have found, each told once. */
export const linesSchema = z.array(
  z.object({
    taskId: z.string(),
    pattern: z.string(),
    line: z.string(),
    offset: z.number().describe('byte of the output at which the line begins'),
    dropped: z.number().describe('lines before it that the limit of ten a second left out'),
  }),
);

/** What any answer can carry in addition to its own fields. */
export const ridingFields = {
  completions: completionsSchema
    .optional()
    .describe('tasks that ended since the last report; each is reported once'),
  moreCompletions: z.number().optional().describe('how many more come with the next answers'),
  lines: linesSchema.optional().describe('lines that watches have found; each is reported once'),
  moreLines: z.boolean().optional().describe('more come with the next answers'),
};

/** A schema as clients get it. It names no dialect, since its keywords mean the same in all dialects. */
export function jsonSchema(schema: z.ZodType): Record<string, unknown> & { type: 'object' } {
  // `io: input` leaves objects open, so that a client with an older schema accepts a new field.
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: 'input',
    override: withoutWhatGoesWithoutSaying,
  });
  return { ...rest, type: 'object' };
}

/** Models pay for each word of a schema. */
function withoutWhatGoesWithoutSaying({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  delete jsonSchema.propertyNames;
}
