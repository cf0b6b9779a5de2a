import type { TaskInspection } from '../api/inspect.ts';
import type { TaskSnapshot } from '../model/snapshot.ts';
import { isEnded, type StatusReason } from '../model/words.ts';
import { shownDuration, shownTime } from './shown.ts';

/** How the status of a task is known: sentences, the most important first. */
export function howWeKnow({ snapshot, history, spawnedBy }: TaskInspection): string[] {
  const has = (fact: string): boolean => history.some((entry) => entry.fact === fact);
  const { status, statusReason, leftovers, delivered } = snapshot;
  const sentences = [
    ...(isEnded(status) ? endOf(snapshot, has) : lifeOf(snapshot, spawnedBy?.host ?? null)),
    ...reasonOf(statusReason),
  ];
  if (snapshot.damaged)
    sentences.push('Its record is damaged and was read in part: some of this may be wrong.');
  if (!isEnded(status)) return sentences;
  if (leftovers.length > 0)
    sentences.push(`Processes that it left behind are alive: ${leftovers.map(({ pid }) => pid).join(', ')}.`);
  else if (has('gone')) sentences.push('Its last process has ended: the shim has seen it.');
  sentences.push(
    delivered
      ? 'Its session has acknowledged the end.'
      : 'Its session has not acknowledged the end yet: it is pending.',
  );
  return sentences;
}

function lifeOf({ status, pid, shimPid, output, after }: TaskSnapshot, host: string | null): string[] {
  switch (status) {
    case 'queued':
      return [
        `It waits for its turn${after === null ? '' : `, and comes after ${after}`}: the command has not run.`,
      ];
    case 'starting':
      return ['Its record is on disk, and nothing says yet that the command runs.'];
    default: {
      const { lastWrittenAt } = output;
      const written =
        lastWrittenAt === null
          ? 'It has written nothing yet.'
          : `It has last written at ${shownTime(lastWrittenAt)}.`;
      const asked = status === 'killing' ? ['Somebody has asked for its end, and it has not ended yet.'] : [];
      return [
        ...asked,
        `Its shim, process ${shimPid ?? 'unknown'}${host === null ? '' : ` on ${host}`}, has recorded that it runs the command as process ${pid ?? 'unknown'}, and no end is recorded.`,
        written,
      ];
    }
  }
}

function endOf(snapshot: TaskSnapshot, has: (fact: string) => boolean): string[] {
  const { status, exitCode, exitSignal, endedAt, durationMs, lastSeenAt } = snapshot;
  if (status === 'lost') {
    const seen = lastSeenAt === null ? '' : ` It was last seen at ${shownTime(lastSeenAt)}.`;
    return [`Nobody can know how it ended, so no exit code is made up.${seen}`];
  }
  if (!has('exit'))
    return [
      has('started') ? 'Its end is recorded without an exit marker of its shim.' : 'The command never ran.',
    ];
  const how =
    exitSignal !== null
      ? `by ${exitSignal}`
      : exitCode === null
        ? 'without a code that is known'
        : `with ${exitCode}`;
  const when = endedAt === null ? '' : ` at ${shownTime(endedAt)}`;
  const after = durationMs === null ? '' : `, after ${shownDuration(durationMs)}`;
  const sentences = [
    `The shim, which is the command's own parent, wrote down that it ended ${how}${when}${after}.`,
  ];
  if (has('stop')) sentences.push('Its end was asked for before that: the facts below say by whom.');
  return sentences;
}

const reasons: Readonly<Partial<Record<StatusReason, string>>> = {
  elsewhere: 'It belongs to another machine or container, and is not judged here.',
  copied: 'This store is a copy that was made while the task ran: it is not judged here.',
  suspended: 'The process is stopped by a signal (SIGSTOP, Ctrl-Z), and can go on.',
  silent: 'It has written nothing for a minute, and certainly for longer than ever before.',
  memory_limit: 'The kernel killed processes of it because its memory was used up.',
  cpu_limit: 'A process of it had used up its CPU time.',
  hidden_failure: 'The exit code is 0, but a part of its last pipeline failed.',
  spawn_aborted: 'The command never ran, and never will.',
  dependency_failed: 'The task that it comes after did not complete.',
  signal: 'A signal ended it that no stop of outlive had sent.',
  kill: 'Somebody asked for its end.',
  replaced: 'It was stopped so that another task takes its place.',
  shutdown: 'Its session was shut down.',
  output_limit: 'It had written more than it may.',
  stale: 'It was adopted, and older than tasks may be.',
  bound: 'What it was bound to is gone.',
  timeout: 'It ran longer than it may.',
  no_exit_marker: 'Its shim is gone, and has left no exit marker.',
  unreadable_record: 'Nothing in its log can be read.',
  reboot: 'The machine was started again while it ran.',
  container_restarted: 'The container was started again while it ran.',
};

function reasonOf(reason: StatusReason | null): string[] {
  const sentence = reason === null ? undefined : reasons[reason];
  return sentence === undefined ? [] : [sentence];
}
