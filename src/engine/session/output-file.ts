import { type Facts, noFacts } from '../../model/fold.ts';
import { seenOffset } from '../../model/watches.ts';
import { cutOf, type OutputFile, outputFile, type Stream } from '../../tasklog/output.ts';
import type { SessionContext } from './context.ts';
import { readFacts } from './read-record.ts';

/**
 * The file of a stream for a reader, with what this process has seen of it, so that the reader notices a truncation.
 * @param facts of the task as they are, or none: then what the record says of the output is not used.
 */
export function readableOutput(
  context: SessionContext,
  taskId: string,
  stream: Stream,
  facts: Facts,
): OutputFile {
  const file = outputFile(context.paths, taskId, stream, facts);
  const before = context.outputs.of(file.path);
  if (facts.spec !== undefined) {
    const erasedBytes = erasedOf(facts, stream);
    before.learn(erasedBytes, () => sizeOnRecord(facts, stream, erasedBytes));
  }
  const cutNow = () => cutOf(readFacts(context, taskId) ?? noFacts, stream);
  return { ...file, seen: { before, cutNow } };
}

/** No file is larger; offsets that count on from here are still exact. A task may write anything into its record. */
const largestEnd = 2 ** 52;

/** Bytes that are gone, as far as the shim has noticed it. */
function erasedOf({ erased }: Facts, stream: Stream): number {
  const bytes = erased.find((fact) => fact.stream === stream)?.bytes ?? 0;
  return bytes > largestEnd ? 0 : bytes;
}

/** How long the file was, at least: at the end of the task, and when a match was acknowledged that was not erased since. */
function sizeOnRecord(facts: Facts, stream: Stream, erasedBytes: number): number {
  let size = sizeAtEnd(facts, stream);
  for (const watch of facts.watches)
    if (watch.fact.stream === stream) size = Math.max(size, seenOffset(watch, erasedBytes) + 1 - erasedBytes);
  return size > largestEnd ? 0 : size;
}

function sizeAtEnd({ spec, exit, outcome }: Facts, stream: Stream): number {
  if (outcome !== undefined) return stream === 'stdout' ? outcome.bytes : outcome.stderrBytes;
  // What comes through a pipe may be on its way yet, and the shim counts both streams together.
  const isInFile = spec?.output !== 'pipe' && spec?.separate !== true && stream === 'stdout';
  return isInFile ? (exit?.bytes ?? 0) : 0;
}
