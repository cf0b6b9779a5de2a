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
    sentences.push(
      `Processes that it left running are alive: ${leftovers.map(({ pid }) => pid).join(', ')}.`,
    );
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
      return ['Its record is on disk, but nothing says yet that the command runs.'];
    default: {
      const { lastWrittenAt } = output;
      const written =
        lastWrittenAt === null
          ? 'It has written nothing yet.'
          : `It last wrote at ${shownTime(lastWrittenAt)}.`;
      const asked = status === 'killing' ? ['A stop was requested, and it has not ended yet.'] : [];
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
  if (has('stop')) sentences.push('A stop was requested before that: the facts below say by whom.');
  return sentences;
}

const reasons: Readonly<Partial<Record<StatusReason, string>>> = {
  elsewhere: 'It belongs to another machine or container: outlive decides nothing about it here.',
  copied: 'This store is a copy that was made while the task ran: outlive decides nothing about it here.',
  suspended: 'The process is stopped by a signal (SIGSTOP, Ctrl-Z), and can go on.',
  silent: 'It has written nothing for a minute or more, and for longer than ever before.',
  memory_limit: 'The kernel killed some of its processes, because its memory was used up.',
  cpu_limit: 'One of its processes had used up its CPU time.',
  hidden_failure: 'The exit code is 0, but a part of its last pipeline failed.',
  spawn_aborted: 'The command never ran, and never will.',
  dependency_failed: 'The task that it was to start after did not complete.',
  signal: 'A signal ended it, and no stop of outlive had sent that signal.',
  kill: 'A user or a program stopped it.',
  replaced: 'It was stopped so that another task could take its place.',
  shutdown: 'Its session was shut down.',
  output_limit: 'It had written more than its limit.',
  stale: 'When its session was opened again, it had run longer than the session allows.',
  bound: 'The process or session that it was bound to is gone.',
  timeout: 'It ran longer than its time limit.',
  no_exit_marker: 'Its shim is gone, and has left no exit marker.',
  unreadable_record: 'Nothing in its log can be read.',
  reboot: 'The machine was rebooted while it ran.',
  container_restarted: 'The container was restarted while it ran.',
};

function reasonOf(reason: StatusReason | null): string[] {
  const sentence = reason === null ? undefined : reasons[reason];
  return sentence === undefined ? [] : [sentence];
}
