import type { SpawnOptions } from '../../../src/index.ts';

/** A life of a task that is led while its shim or its spawner dies or is stopped. */
export interface Life {
  /** What the command does after its first act, which is to say that it runs. */
  readonly body: string;
  readonly options?: SpawnOptions;
  /** It does not end by itself: somebody stops it. */
  readonly isEndless?: boolean;
  /** Another task has the only place at first. */
  readonly isQueued?: boolean;
  /** How it may end when nobody disturbs it. */
  readonly ends: readonly string[];
}

/** Lives in which a shim does all that shims do. */
export const lives = {
  ends: { body: 'ends 3', ends: ['failed 3'] },
  times: {
    body: 'sleep 300',
    options: { timeoutMs: 250, graceMs: 50 },
    ends: ['timed_out 124', 'timed_out null'],
  },
  stopped: {
    body: "trap '' TERM; sleep 300 & while :; do sleep 0.05; done",
    isEndless: true,
    ends: ['killed 137', 'killed 143', 'killed null'],
  },
  leaves: { body: 'sleep 300 & ends 4', ends: ['failed 4'] },
  kills: { body: 'sleep 300 & ends 5', options: { leftovers: 'kill', graceMs: 30 }, ends: ['failed 5'] },
  queued: { body: 'ends 6', options: { onLimit: 'queue' }, isQueued: true, ends: ['failed 6'] },
} as const satisfies Readonly<Record<string, Life>>;

/** The name of one of them. */
export type LifeName = keyof typeof lives;

export const lifeNames = Object.keys(lives) as [LifeName, ...LifeName[]];

/**
 * The command of a life. Its very first act is a line in a file of the test; then it looks itself whether its record is in
 * its folder and says that it has started; before it ends it writes down with what code.
 */
export function commandOf(body: string, dir: string, ran: string): string {
  const log = `'${dir}'/sessions/*/tasks/"\${OUTLIVE_TASK%%.*}".jsonl`;
  const read =
    'while read -r line; do case $line in *\'"fact":"started"\'*) echo recorded;; esac; done <"$log"';
  const ends = `ends() { echo "exit $1" >>'${ran}'; exit "$1"; }`;
  return `echo "ran $$" >>'${ran}'; for log in ${log}; do ${read}; done >>'${ran}'; ${ends}; ${body}`;
}
