import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { anthropic } from './anthropic.ts';
import type { Api, Reply, Seen, Written } from './exchange.ts';
import { gemini } from './gemini.ts';
import { openaiChat } from './openai-chat.ts';
import { openaiResponses } from './openai-responses.ts';

/** One answer of the model, made from what it sees. It may wait for something first. */
export type Step = (seen: Seen) => Reply | Promise<Reply>;

/** What the model answers to one prompt: its steps, one a request. After them it says that it is done. */
interface Scene {
  readonly prompt: string;
  readonly steps: readonly Step[];
  taken: number;
  last: Seen | undefined;
}

/** What a model does until it is offered a tool that it needs. */
export interface Patience {
  readonly tool: string;
  readonly meanwhile: Reply;
}

const apis: readonly Api[] = [anthropic, openaiChat, openaiResponses, gemini];

/** Said to what is no part of a scene: the titles of conversations, the checks of connections. */
const aside: Reply = { say: 'ok' };

/**
 * A model on loopback that answers by scenes and keeps what it saw. It speaks the APIs of Anthropic, OpenAI and Google.
 * A scene is chosen by its prompt, the latest that a request holds; a request that offers no tools is part of none.
 */
export class FakeModel implements AsyncDisposable {
  readonly #server: Server;
  readonly #patience: Patience;
  readonly #records: string | undefined;
  readonly #scenes: Scene[] = [];
  readonly #failures: unknown[] = [];
  #requests = 0;

  private constructor(patience: Patience, records: string | undefined) {
    this.#patience = patience;
    this.#records = records;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        this.#failures.push(error);
        response.writeHead(500).end();
      });
    });
  }

  /**
   * @param patience no scene goes on before this tool is offered: agents begin before their servers are there.
   * @param records the folder in which each request is kept as it came, for people.
   */
  static async start(patience: Patience, records?: string): Promise<FakeModel> {
    const model = new FakeModel(patience, records);
    if (records !== undefined) mkdirSync(records, { recursive: true });
    await new Promise<void>((resolve) => model.#server.listen(0, '127.0.0.1', resolve));
    return model;
  }

  /** Where it listens, without a slash at the end. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Adds a scene: what the model does once a prompt has come. */
  plays(prompt: string, steps: readonly Step[]): void {
    this.#scenes.push({ prompt, steps, taken: 0, last: undefined });
  }

  /** Whether each step of a scene has been taken. Throws what a step threw. */
  hasPlayed(prompt: string): boolean {
    const { taken, steps } = this.#sceneOf(prompt);
    return taken >= steps.length;
  }

  /** All that the model of a scene was shown with its latest request. Throws what a step threw, and if a step is missing. */
  saw(prompt: string): Seen {
    const { last, taken, steps } = this.#sceneOf(prompt);
    if (last === undefined) throw new Error(`the agent has not asked the model: "${prompt}"`);
    if (taken < steps.length) throw new Error(`the agent stopped after step ${taken} of ${steps.length}`);
    return last;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #sceneOf(prompt: string): Scene {
    if (this.#failures.length > 0) throw this.#failures[0];
    const scene = this.#scenes.find((one) => one.prompt === prompt);
    if (scene === undefined) throw new Error(`no scene has the prompt "${prompt}"`);
    return scene;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').replace(/\?.*/, '');
    const raw = await text(request);
    this.#requests += 1;
    const id = String(this.#requests);
    this.#keep(id, `${request.method} ${request.url}\n${raw}`);
    const api = apis.find(({ takes }) => takes(path));
    if (api === undefined || request.method !== 'POST') {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
      return;
    }
    const body: unknown = JSON.parse(raw);
    send(response, api.write(await this.#reply(api.read(body)), id, body));
  }

  async #reply(seen: Seen): Promise<Reply> {
    const scene = seen.tools.length === 0 ? undefined : latestIn(seen, this.#scenes);
    if (scene === undefined) return aside;
    if (!offers(seen, this.#patience.tool)) return this.#patience.meanwhile;
    scene.last = seen;
    const step = scene.steps[scene.taken];
    scene.taken += 1;
    return step === undefined ? { say: 'That is all.' } : await step(seen);
  }

  #keep(id: string, request: string): void {
    if (this.#records !== undefined)
      writeFileSync(join(this.#records, `${id.padStart(3, '0')}.txt`), request);
  }
}

/** Whether a model knows a tool. Some agents tell the names of tools in words, and describe them when they are asked for. */
function offers({ tools, said }: Seen, tool: string): boolean {
  return tools.some(({ name }) => name === tool) || said.some((text) => text.includes(tool));
}

/** The scene whose prompt was said last. */
function latestIn({ said }: Seen, scenes: readonly Scene[]): Scene | undefined {
  const all = said.join('\n');
  const [latest] = scenes
    .map((scene) => ({ scene, at: all.lastIndexOf(scene.prompt) }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => b.at - a.at);
  return latest?.scene;
}

function send(response: ServerResponse, written: Written): void {
  if ('json' in written) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(written.json));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const { event, data } of written.events) {
    const payload = typeof data === 'string' ? data : JSON.stringify(data);
    response.write(`${event === undefined ? '' : `event: ${event}\n`}data: ${payload}\n\n`);
  }
  response.end();
}
