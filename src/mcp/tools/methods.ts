import { ProtocolError, ProtocolErrorCode, type ServerContext } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { isEnded } from '../../model/words.ts';
import { allTools, toolsWithFleet } from '../../tools/all-tools.ts';
import { failure } from '../../tools/answer.ts';
import { callTool as call } from '../../tools/call-tool.ts';
import type { Request } from '../../tools/delivery/connection.ts';
import { requestAbout } from '../../tools/delivery/find-task.ts';
import { mayHearLine } from '../../tools/delivery/line-hearers.ts';
import { sayLatest } from '../../tools/text/present.ts';
import { jsonSchema } from '../../tools/text/schemas.ts';
import type { Tool, ToolAnswer } from '../../tools/tool.ts';
import { yieldToOthers } from '../../util/wait.ts';
import { logEnds } from '../log-ends.ts';
import { asProtocolError, invalidParams, requestOf, type ServedRequest } from '../request.ts';
import { createTask2025 } from '../tasks/tasks-2025.ts';
import { createTask2026, declaresTasks } from '../tasks/tasks-2026.ts';
import { callResult } from './call-result.ts';
import { withProgress } from './progress.ts';

const callParams = z.object({
  name: z.string(),
  arguments: z.unknown().optional(),
  task: z.unknown().optional(),
});

/** Serves `tools/list` and `tools/call`. */
export function serveTools(served: ServedRequest): void {
  served.server.setRequestHandler('tools/list', () => ({
    tools: toolsOf(served).map((tool) => listing(tool, served.structured)),
  }));
  served.server.setRequestHandler('tools/call', { params: callParams }, async (params, ctx) =>
    callTool(served, params, ctx),
  );
}

/** The tools of a server: with a fleet, `run` has `host`. */
function toolsOf({ remote }: ServedRequest): readonly Tool[] {
  return remote === null ? allTools : toolsWithFleet;
}

/** What Claude Code goes by when it decides which tools a model sees from the beginning. */
const alwaysLoad = { 'anthropic/alwaysLoad': true };

function listing(tool: Tool, structured: boolean) {
  const { name, title, description, annotations } = tool;
  const meta = tool.isAlwaysLoaded === true ? { _meta: alwaysLoad } : {};
  const inputSchema = jsonSchema(tool.input);
  const schemas = { inputSchema, ...(structured && { outputSchema: jsonSchema(tool.output) }) };
  const taskSupport = takesTasks(tool) ? ('optional' as const) : ('forbidden' as const);
  return { name, title, description, annotations, ...schemas, execution: { taskSupport }, ...meta };
}

/** Of generation 1: only what starts a command can be called as a task. */
function takesTasks(tool: Tool): boolean {
  return tool.name === 'run';
}

async function callTool(served: ServedRequest, params: z.infer<typeof callParams>, ctx: ServerContext) {
  const tool = toolsOf(served).find(({ name }) => name === params.name);
  if (tool === undefined) throw unknownTool(params.name);
  const asTask = served.era === 'legacy' && params.task !== undefined;
  if (asTask && !takesTasks(tool)) {
    throw new ProtocolError(
      ProtocolErrorCode.MethodNotFound,
      `the tool ${tool.name} cannot be called as a task`,
    );
  }
  const args = tool.read(params.arguments);
  if (asTask && isForHost(args)) throw noTaskThere();
  const desk = await openDesk(served, ctx, tool, args);
  if ('text' in desk) return callResult(desk, served.structured);
  const { request, named } = desk;
  const { clientSession } = named;
  const stopLogging = logEnds(ctx, served, request);
  const caller: Caller = { request: named, asking: request, ctx, asTask, followed: null };
  const work = callAndCatch(served, tool, args, caller);
  const answer = await withProgress(ctx, () => sayProgress(tool, caller), work).finally(stopLogging);
  if (asTask && answer.started !== undefined) return createTask2025(served, clientSession, answer.started);
  const live = answer.started !== undefined && !isEnded(answer.started.status) ? answer.started : undefined;
  if (live !== undefined && served.era === 'modern' && declaresTasks(ctx)) {
    return createTask2026(served, clientSession, live);
  }
  return await answered(served, ctx, request, answer);
}

/** The result of a call, with the client's pending completions on it. */
async function answered(served: ServedRequest, ctx: ServerContext, request: Request, answer: ToolAnswer) {
  const { connection } = served;
  const { receipts } = connection;
  const remote = await served.remote?.ride(request, answer.tellsRemote ?? [], mostRemoteRiders);
  const riding = connection.ride(request, answer.tells);
  const mayHear = (taskId: string): boolean => connection.mayHear(request, taskId);
  const lines = request.clientSession.watchedLines.ride((line) => mayHearLine(line, request, mayHear));
  for (const outcome of [...riding.outcomes, ...(remote?.outcomes ?? []), lines.outcome])
    if (outcome !== null) receipts.expect(served.requestKey(ctx), outcome);
  // What the client has sent already is read before the answer is written, so that it is no proof of its receipt.
  await yieldToOthers();
  return callResult(answer, served.structured, { ...riding, lines, ...(remote && { remote }) });
}

/** How many ends of tasks on other hosts one answer carries. */
const mostRemoteRiders = 10;

/** A call, and the same as one about the task that it names. */
interface Desk {
  readonly request: Request;
  readonly named: Request;
}

/** The session of a call, or the answer that says why it cannot be had. */
async function openDesk(
  served: ServedRequest,
  ctx: ServerContext,
  tool: Tool,
  args: unknown,
): Promise<Desk | ToolAnswer> {
  try {
    const request = await requestOf(served, ctx);
    served.connection.called(request);
    served.remote?.called(request);
    return { request, named: await requestAbout(served.connection, request, tool.name, args) };
  } catch (error) {
    return failure(error);
  }
}

interface Caller {
  /** As one about the task that the call names. */
  readonly request: Request;
  readonly asking: Request;
  readonly ctx: ServerContext;
  readonly asTask: boolean;
  /** The task that the call waits for. */
  followed: string | null;
}

/** What a call does meanwhile, in a line. */
function sayProgress(tool: Tool, { request: { clientSession }, followed }: Caller): string {
  const snapshot = followed === null ? null : clientSession.snapshot(followed);
  return snapshot === null ? tool.name : `${tool.name} ${sayLatest(snapshot)}`;
}

async function callAndCatch(
  served: ServedRequest,
  tool: Tool,
  args: unknown,
  caller: Caller,
): Promise<ToolAnswer> {
  const { request, ctx, asTask } = caller;
  try {
    return await call(tool, args, {
      ...{ connection: served.connection, request, cwd: served.cwd, bindTo: served.bindTo },
      remote: served.remote?.callsOf(caller.asking) ?? null,
      abortSignal: ctx.mcpReq.signal,
      atOnce: asTask,
      follows: (taskId) => {
        caller.followed = taskId;
      },
    });
  } catch (error) {
    if (asTask) throw asProtocolError(error);
    return failure(error);
  }
}

function isForHost(args: unknown): boolean {
  return typeof args === 'object' && args !== null && 'host' in args && args.host !== undefined;
}

function noTaskThere(): ProtocolError {
  return invalidParams(
    'expected a call of run without a task of the protocol, as the command is to run on another host; found one with it. Call it without: its answer names the task there.',
  );
}

function unknownTool(name: string): ProtocolError {
  const names = allTools.map((tool) => tool.name).join(', ');
  return invalidParams(`expected the name of a tool, one of ${names}; found ${JSON.stringify(name)}.`);
}
