import type { z } from 'zod';
import { OutliveError } from '../../errors/error.ts';

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
  const faults = parsed.error.issues.map(
    (issue) => `${issue.path.join('.') || 'arguments'}: ${issue.message}`,
  );
  throw new OutliveError(
    'INVALID_ARGUMENT',
    `expected other arguments of the tool ${JSON.stringify(tool.name)}: ${faults.join('; ')}. Nothing was done; call it again with what its schema describes.`,
  );
}
