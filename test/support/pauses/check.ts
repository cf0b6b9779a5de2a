import assert from 'node:assert/strict';
import { isEnded, type TaskSnapshot } from '../../../src/index.ts';
import type { Told } from './deeds.ts';
import { ends, type Scene, type Tag, tags } from './scene.ts';

/** What there is to be seen of a case. */
export interface Findings {
  /** By the process that was stopped. */
  readonly role: Told;
  /** By others, while it was stopped. */
  readonly others: readonly Told[];
  /** By the next, when all was stopped and had ended. */
  readonly last: Told;
  /** By the one after it, who took what matches were pending. */
  readonly matched: Told;
}

/** Checks the promises: nothing runs twice, no end is made up or changes, nothing is lost, told twice or removed too early. */
export function checkScene(scene: Scene, found: Findings): void {
  const all = [found.role, ...found.others, found.last];
  checkRuns(scene);
  checkEnds(scene, all);
  checkAcknowledgements(scene, all);
  checkRemovals(scene, all);
  checkRefusals(all);
  checkMatches(scene, [...all, found.matched]);
}

function checkRuns(scene: Scene): void {
  const ran = scene.ran();
  const twice = ran.filter((tag, at) => ran.indexOf(tag) !== at);
  assert.deepEqual(twice, [], 'a command has run twice');
}

/** Whoever is told of an end is told the same one, and that is how the command ended. */
function checkEnds(scene: Scene, all: readonly Told[]): void {
  for (const tag of tags) {
    const told = snapshotsOf(scene, all, tag).filter(({ status }) => isEnded(status));
    const said = told.map(({ status, exitCode, statusReason }) => `${status} ${exitCode} ${statusReason}`);
    assert.ok(new Set(said).size <= 1, `several ends of ${tag} are told: ${[...new Set(said)].join(', ')}`);
    for (const { status, exitCode, statusReason } of told) {
      const isOwn = `${status} ${exitCode}` === ends[tag];
      const isAsked = all.some(({ stopped }) => stopped.includes(scene.tasks[tag]));
      const isStopped = isAsked && status === 'killed' && /^(?:kill|shutdown)$/.test(statusReason ?? '');
      assert.ok(isOwn || isStopped, `${tag} is told as ${said[0]}`);
      if (isOwn && tag === 'queued')
        assert.ok(scene.ran().includes('queued'), 'it was told, and has not run');
    }
  }
}

function checkAcknowledgements(scene: Scene, all: readonly Told[]): void {
  const acked = all.flatMap((told) => told.acked);
  const twice = acked.filter((id, at) => acked.indexOf(id) !== at);
  assert.deepEqual(twice, [], 'two were the first to acknowledge');
  const last = all.at(-1);
  for (const { taskId, delivered } of last?.snapshots ?? []) {
    const isAcked = acked.includes(taskId) || taskId === scene.tasks.acked || taskId === scene.tasks.leaves;
    assert.equal(delivered, isAcked, `${scene.tagOf(taskId)}: delivered`);
    assert.equal(last?.pending.includes(taskId), !delivered, `${scene.tagOf(taskId)}: pending`);
  }
}

function checkRemovals(scene: Scene, all: readonly Told[]): void {
  const acked = [...all.flatMap((told) => told.acked), scene.tasks.acked, scene.tasks.leaves];
  const pruned = all.flatMap((told) => told.pruned).filter((id) => scene.tagOf(id) !== undefined);
  for (const id of pruned)
    assert.ok(acked.includes(id), `${scene.tagOf(id)} was removed, and not acknowledged`);
  const there = all.at(-1)?.snapshots.map(({ taskId }) => taskId) ?? [];
  for (const tag of tags) {
    const id = scene.tasks[tag];
    // Who removes may have died of it, or been told nothing.
    assert.ok(there.includes(id) || acked.includes(id), `${tag} is gone`);
    if (pruned.includes(id)) assert.ok(!there.includes(id), `${tag} was removed, and is there`);
  }
  const strays = scene.made().filter((path) => /\.tmp$|\/doorbell-/.test(path));
  assert.deepEqual(strays, [], 'files are left in a store that was made');
  const files = scene.files();
  for (const path of scene.debris) assert.ok(!files.includes(path), `${path} is left`);
}

/** What is asked for may be gone meanwhile; nothing else may be refused. */
function checkRefusals(all: readonly Told[]): void {
  for (const { codes } of all) for (const code of codes) assert.match(code, /^TASK_NOT_FOUND /);
}

/** Each match was acknowledged once, and none was lost. */
function checkMatches(scene: Scene, all: readonly Told[]): void {
  const matches = all.flatMap((told) => told.matches).sort();
  const isWhole = snapshotsOf(scene, all, 'live').some(({ status }) => status === 'failed');
  const expected = ['error 1', 'error 2', ...(isWhole ? ['error 3'] : [])];
  assert.deepEqual(matches, expected, 'matches that were acknowledged');
}

function snapshotsOf(scene: Scene, all: readonly Told[], tag: Tag): TaskSnapshot[] {
  return all.flatMap(({ snapshots }) => snapshots).filter(({ taskId }) => taskId === scene.tasks[tag]);
}
