import type { SpawnOptions } from '../../../src/index.ts';

/** A life of a task that is led while its shim or its spawner dies or is stopped. */
export interface Life {
  /** What the command does after its first act, which is to say that it runs. */
  readonly body: string;
  readonly options?: SpawnOptions;
  /** It does not end by itself: somebody stops it. */
  readonly isEndless?: boolean;
  /** Somebody types a line into it, before it is stopped. */
  readonly isTyped?: boolean;
  /** Another task has the only place at first. */
  readonly isQueued?: boolean;
  /** It comes after that other task. */
  readonly follows?: boolean;
  /** It has a hook, which writes down what it is told. */
  readonly isHooked?: boolean;
  /** What it writes, if it comes to its end. */
  readonly writes?: string;
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
  follows: { body: 'ends 9', isQueued: true, follows: true, ends: ['failed 9'] },
  hooks: { body: 'ends 7', isHooked: true, ends: ['failed 7'] },
  hooksLate: {
    body: 'sleep 300 & ends 8',
    options: { leftovers: 'kill', graceMs: 30 },
    isHooked: true,
    ends: ['failed 8'],
  },
  writes: { body: 'echo one; sleep 1.1; echo two; ends 3', writes: 'one\ntwo\n', ends: ['failed 3'] },
  pumps: {
    body: 'echo one; echo two >&2; ends 3',
    options: { output: 'pipe' },
    writes: 'one\ntwo\n',
    ends: ['failed 3'],
  },
  floods: {
    body: "trap '' TERM; while :; do echo one; done",
    options: { output: 'pipe', maxOutputBytes: 8_000, graceMs: 30 },
    ends: ['killed 137', 'killed null'],
  },
  reads: {
    body: 'read -r line; echo "$line"; ends 3',
    options: { stdin: { data: 'one\n' } },
    writes: 'one\n',
    ends: ['failed 3'],
  },
  types: {
    body: 'read -r line; echo "$line"; ends 3',
    options: { stdin: 'open' },
    isEndless: true,
    isTyped: true,
    ends: ['failed 3', 'killed 3', 'killed 143', 'killed 137', 'killed null'],
  },
  shows: {
    body: 'echo one; stty size; ends 3',
    options: { tty: { cols: 80, rows: 24 } },
    writes: 'one\r\n24 80\r\n',
    ends: ['failed 3'],
  },
  pipes: { body: 'ends 3 | ends 4', options: { shell: 'bash' }, ends: ['failed 4'] },
} as const satisfies Readonly<Record<string, Life>>;

/** The name of one of them. */
export type LifeName = keyof typeof lives;

export const lifeNames = Object.keys(lives) as [LifeName, ...LifeName[]];

/** The options of a life. Its hook writes into the same file as its command. */
export function optionsOf({ options, isHooked }: Life, ran: string): SpawnOptions {
  const onExit = `echo "hooked $OUTLIVE_STATUS $OUTLIVE_EXIT_CODE" >>'${ran}'`;
  return { ...options, name: 'case', ...(isHooked && { onExit }) };
}

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
