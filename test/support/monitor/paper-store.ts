import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { SessionContext } from '../../../src/engine/session/context.ts';
import { removeIfEmpty } from '../../../src/engine/store/empty-session.ts';
import { makeSessionFolders } from '../../../src/engine/store/session-folder.ts';
import { storeAsItIs } from '../../../src/engine/store/store-as-it-is.ts';
import { defaultLimits } from '../../../src/engine/store/store-sessions.ts';
import { removeTask } from '../../../src/engine/store/sweep.ts';
import type { Fact, OutcomeFact, SpecFact } from '../../../src/model/facts.ts';
import { currentSystem } from '../../../src/platform/current.ts';
import type { System } from '../../../src/platform/system.ts';
import { encodeFact } from '../../../src/tasklog/codec.ts';
import { type SessionPaths, sessionPaths, taskPaths } from '../../../src/tasklog/paths.ts';

/** Sessions and tasks that are files alone: no process runs, so that thousands of things happen in a moment. */
export class PaperStore {
  readonly dir: string;
  readonly #system: System;
  #tasks = 0;

  private constructor(dir: string, system: System) {
    this.dir = dir;
    this.#system = system;
  }

  /** @param dir the folder of a store that is there. */
  static async in(dir: string): Promise<PaperStore> {
    return new PaperStore(dir, await currentSystem());
  }

  paths(sessionId: string): SessionPaths {
    return sessionPaths(this.dir, sessionId);
  }

  /** Makes a task, and its session if that is new. Its id. */
  spawn(sessionId: string): string {
    this.#tasks += 1;
    const taskId = `bgb-${this.#tasks.toString(16).padStart(12, '0')}`;
    const paths = this.paths(sessionId);
    makeSessionFolders(paths, sessionId);
    writeFileSync(taskPaths(paths, taskId).log, encodeFact(this.#spec(sessionId, taskId)), { mode: 0o600 });
    return taskId;
  }

  /** Appends what a shim, or somebody who settles or acknowledges, would append. */
  append(sessionId: string, taskId: string, kind: 'stop' | 'outcome' | 'delivered' | 'watch'): void {
    const by = this.#system.self();
    const facts: Record<typeof kind, Fact> = {
      stop: { fact: 'stop', cause: 'kill', id: 's', by, at: Date.now(), graceMs: 0, killSignal: 'SIGTERM' },
      outcome: { ...outcome, endedAt: Date.now() },
      delivered: { fact: 'delivered', id: 'd', at: Date.now() },
      watch: { fact: 'watch', id: 'w', pattern: { text: 'x' }, stream: 'stdout', from: 0, at: Date.now() },
    };
    appendFileSync(taskPaths(this.paths(sessionId), taskId).log, encodeFact(facts[kind]));
  }

  /** Removes a task as `prune` does. */
  remove(sessionId: string, taskId: string): void {
    const paths = this.paths(sessionId);
    const store = storeAsItIs(this.dir, this.#system);
    removeTask(new SessionContext(store, sessionId, paths, defaultLimits), taskId);
  }

  /** Removes a session, if it has no tasks. */
  tidy(sessionId: string): void {
    removeIfEmpty(this.paths(sessionId));
  }

  /** Removes a session with all that is in it, as a person does. */
  destroy(sessionId: string): void {
    rmSync(this.paths(sessionId).dir, { recursive: true, force: true });
  }

  /** Moves a session out of the store and back, as a backup does. */
  moveAway(sessionId: string): () => void {
    const { dir } = this.paths(sessionId);
    const away = `${this.dir}-${sessionId}-away`;
    renameSync(dir, away);
    return () => renameSync(away, dir);
  }

  /** Makes a folder of a session that says nothing yet, as the first moment of a spawn leaves it. */
  beginFolder(sessionId: string): void {
    mkdirSync(this.paths(sessionId).dir, { recursive: true, mode: 0o700 });
  }

  #spec(sessionId: string, taskId: string): SpecFact {
    return {
      ...{ fact: 'spec', v: 2, taskId, sessionId, command: 'true', commandInFile: false, cwd: '/' },
      ...{ shell: '/bin/sh', name: null, labels: {}, timeoutMs: null, graceMs: 0, separate: false },
      ...{
        leftovers: 'report',
        maxOutputBytes: null,
        keepOutputBytes: null,
        bindTo: null,
        retentionMs: null,
      },
      ...{ cookie: `${taskId}.0123456789abcdef`, createdAt: Date.now(), monoMs: performance.now() },
      by: this.#system.self(),
      seal: '0'.repeat(32),
    };
  }
}

const outcome: OutcomeFact = {
  ...{ fact: 'outcome', id: 'o', status: 'completed', reason: null, exitCode: 0, exitSignal: null },
  ...{ startedAt: null, endedAt: null, lastSeenAt: null, cpuMs: null, bytes: 0, stderrBytes: 0 },
  ...{ leftovers: [], pipeStatus: null },
};
