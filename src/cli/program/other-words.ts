/** Other names of our verbs, which work as well. */
const aliases: Readonly<Record<string, string>> = {
  stop: 'kill',
  ls: 'ps',
  list: 'ps',
  status: 'ps',
  tail: 'logs',
  log: 'logs',
  inspect: 'show',
  rm: 'prune',
  rerun: 'restart',
};

/** What other programs (docker, pm2, gob, pueue, tmux, systemd) call what we do: an error names our words for it. */
const elsewhere: Readonly<Record<string, string>> = {
  add: 'run',
  exec: 'run',
  start: 'run',
  spawn: 'run',
  submit: 'run',
  new: 'run',
  reload: 'restart',
  retry: 'restart',
  jobs: 'ps',
  tasks: 'ps',
  describe: 'show',
  info: 'show',
  cat: 'logs',
  output: 'logs',
  follow: 'logs -f',
  stdout: 'logs',
  await: 'wait',
  input: 'send',
  type: 'send',
  'send-keys': 'send',
  'capture-pane': 'screen',
  signal: 'kill --signal',
  cancel: 'kill',
  terminate: 'kill',
  delete: 'prune TASK',
  del: 'prune TASK',
  remove: 'prune TASK',
  clean: 'prune',
  clear: 'prune',
  events: 'completions',
  notifications: 'completions',
  pending: 'completions',
  health: 'doctor',
  check: 'doctor',
  dashboard: 'ui',
  web: 'ui',
  serve: 'ui',
};

/** The verb that is meant by a word: the word itself, unless it is an alias. */
export function verbOf(word: string): string {
  return Object.hasOwn(aliases, word) ? (aliases[word] ?? word) : word;
}

/** Our words for what another program calls so; null: it is no such word. */
export function ourWords(word: string): string | null {
  const lower = word.toLowerCase();
  return Object.hasOwn(elsewhere, lower) ? (elsewhere[lower] ?? null) : null;
}

/** The aliases of a verb. */
export function aliasesOf(verb: string): string[] {
  return Object.keys(aliases).filter((alias) => aliases[alias] === verb);
}
