import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { cacheFolder } from './cache.ts';
import { must } from './measure.ts';

const packageName = '@cortexkit/aft-linux-x64';
/** The version that behaves like the document it was described in. */
const usualVersion = '0.19.6';

/** As it is called in the table. */
export const referenceName = `aft ${usualVersion}`;

/**
 * The reference system's program in one of its versions, installed on the first use.
 * @throws Error that says why it cannot be had.
 */
export async function findReference(version: string = usualVersion): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(`there is none for ${process.platform} ${process.arch}`);
  const folder = join(cacheFolder(), `aft-${version}`);
  const program = join(folder, 'node_modules', packageName, 'bin', 'aft');
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  const options = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  try {
    const install = ['install', '--prefix', folder, ...options, `${packageName}@${version}`];
    await promisify(execFile)('npm', install, { timeout: 60_000, cwd: folder });
  } catch {
    throw new Error(`npm could not install ${packageName}@${version}`);
  }
  if (!existsSync(program)) throw new Error(`${packageName}@${version} has no bin/aft`);
  return program;
}

interface Message {
  readonly id?: string;
  readonly success?: boolean;
  readonly type?: string;
  readonly task_id?: string;
  readonly exit_code?: number | null;
  /** Ends that nobody has been told of yet ride on any answer. */
  readonly bg_completions?: readonly { readonly task_id: string; readonly exit_code: number | null }[];
}

/** The reference system as a process: requests and answers are lines of JSON on its stdin and stdout. */
export class Reference {
  readonly #process: ChildProcess;
  readonly #answers = new Map<string, (message: Message) => void>();
  readonly #completions = new Map<string, () => void>();
  readonly #ended = new Set<string>();
  /** Exit codes that came with answers. */
  readonly #told = new Map<string, number | null>();
  #requests = 0;

  /** Project and storage are folders of their own, since it watches its project. */
  static async start(program: string, project: string, storage: string): Promise<Reference> {
    const reference = new Reference(program, project);
    await reference.#request({
      command: 'configure',
      harness: 'opencode',
      project_root: project,
      storage_dir: storage,
      experimental_bash_background: true,
      max_background_bash_tasks: 512,
      // What newer versions want besides.
      config: [{ tier: 'user', source: 'bench', doc: '{"bash":{"background":true}}' }],
    });
    return reference;
  }

  private constructor(program: string, project: string) {
    this.#process = spawn(program, [], { cwd: project, stdio: ['pipe', 'pipe', 'ignore'] });
    this.#process.on('error', () => undefined);
    const { stdout } = this.#process;
    if (stdout === null) throw new Error('expected the reference to have a stdout');
    createInterface({ input: stdout }).on('line', (line) => this.#take(JSON.parse(line)));
  }

  /** Starts a command in the background; resolves with the task's id when the reference has answered. */
  async spawn(command: string): Promise<string> {
    const { task_id } = await this.#request({ command: 'bash', params: { command, background: true } });
    if (task_id === undefined) throw new Error('expected the reference to answer with a task');
    return task_id;
  }

  /** Resolves when the completion of a task was pushed. */
  async completion(taskId: string): Promise<void> {
    if (this.#ended.has(taskId)) return;
    await must(
      'the completion from the reference',
      new Promise<void>((resolve) => this.#completions.set(taskId, resolve)),
    );
  }

  /** Stops a task. */
  async kill(taskId: string): Promise<void> {
    await this.#request({ command: 'bash_kill', params: { task_id: taskId } });
  }

  /** The exit code of a task, from wherever it can be had; `null`: not known, or not ended. */
  async exitCode(taskId: string): Promise<number | null> {
    await this.#request({ command: 'bash_drain_completions' });
    const { exit_code } = await this.#request({ command: 'bash_status', params: { task_id: taskId } });
    return exit_code ?? this.#told.get(taskId) ?? null;
  }

  /** Ends the process. */
  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.#process.once('exit', resolve));
    if (this.#process.exitCode !== null || !this.#process.kill('SIGKILL')) return;
    await gone;
  }

  #request(fields: Record<string, unknown>): Promise<Message> {
    this.#requests += 1;
    const id = String(this.#requests);
    const answer = new Promise<Message>((resolve) => this.#answers.set(id, resolve));
    this.#process.stdin?.write(`${JSON.stringify({ id, session_id: 'bench', ...fields })}\n`);
    return must('an answer from the reference', answer);
  }

  #take(message: Message): void {
    for (const { task_id, exit_code } of message.bg_completions ?? []) this.#told.set(task_id, exit_code);
    if (message.id !== undefined) {
      this.#answers.get(message.id)?.(message);
      this.#answers.delete(message.id);
    } else if (message.type === 'bash_completed' && message.task_id !== undefined) {
      this.#ended.add(message.task_id);
      this.#completions.get(message.task_id)?.();
    }
  }
}
