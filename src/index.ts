export type { TaskBounds, TaskInspection, TaskProcess } from './api/inspect.ts';
export type { KillOptions, StopOptions } from './api/kill-options.ts';
export type { StoreOptions } from './api/open-store.ts';
export type { FollowOptions, MarksOptions, OutputChunk, ReadOptions, TailOptions } from './api/output.ts';
export type { FollowPendingOptions } from './api/pending.ts';
export type { MatchToRead } from './api/pending-matches.ts';
export type { StorePruneOptions } from './api/prune-store.ts';
export type { ScopedTask } from './api/scoped-task.ts';
export type { EndOptions, Session, ShutdownOptions } from './api/session.ts';
export type { SessionOptions } from './api/session-options.ts';
export type {
  InspectOptions,
  Store,
  StoreEvents,
  TaskFilter,
  UsageOptions,
} from './api/store.ts';
export type { StoreTask } from './api/store-task.ts';
export type { Task, WaitOptions } from './api/task.ts';
export type { RunOptions, RunResult, ScopedSpawnOptions } from './api/task-options.ts';
export type { TaskReader } from './api/task-reader.ts';
export type { StoreEvent, StoreWatchOptions } from './api/watch-store.ts';
export type { DiagnoseOptions, Diagnosis } from './doctor/doctor.ts';
export type { DiagnoseProgress } from './doctor/doctor-tasks.ts';
export type { Finding } from './doctor/finding.ts';
export type { Completion, CompletionsOptions } from './engine/completions/completions.ts';
export type { AttachEnd, AttachOptions, Viewer } from './engine/interact/attach.ts';
export type { InputWait } from './engine/interact/input-wait.ts';
export type { ScreenOptions } from './engine/interact/screen.ts';
export type { SendOptions } from './engine/interact/send.ts';
export type { ListeningPort } from './engine/processes/listening.ts';
export type { TaskUsage, UsageMeter } from './engine/processes/usage.ts';
export type { EndMessage, SpawnMessage, StopMessage } from './engine/session/topics.ts';
export type { ResourceOptions } from './engine/spawn/resource-request.ts';
export type { RestartOptions } from './engine/spawn/restart.ts';
export type { BindTo, Command, SpawnOptions } from './engine/spawn/spawn-request.ts';
export type { StdinOption } from './engine/spawn/stdin-request.ts';
export type { PruneOptions, PruneResult } from './engine/store/prune.ts';
export type { KeptBecause } from './engine/store/sweep.ts';
export type { WaitForCause, WaitForOptions, WaitForResult } from './engine/wait/wait-for-options.ts';
export type { WaitAnyResult } from './engine/wait/wait-many.ts';
export type { MatchContext } from './engine/watches/match-context.ts';
export type { WatchMatch } from './engine/watches/match-feed.ts';
export type { WatchSummary } from './engine/watches/pattern-watches.ts';
export type { PendingMatch } from './engine/watches/session-matches.ts';
export type { MatchOptions, WatchOptions } from './engine/watches/watch-options.ts';
export type { AddWatchOptions } from './engine/watches/watch-task.ts';
export { diagnose, openStore } from './entry-points.ts';
export { type ErrorCode, type ErrorDetails, errorCodes, OutliveError } from './errors/error.ts';
export type { OutliveWarning } from './errors/warnings.ts';
export type { HeldLimit, LimitHolder, ResourceLimit } from './model/held-limits.ts';
export type { HistoryEntry } from './model/history.ts';
export { bounds, defaults } from './model/limits.ts';
export type { PatternMatch } from './model/line-search.ts';
export type { OutputMark } from './model/marks.ts';
export type { Pattern, RegexpPattern } from './model/pattern.ts';
export type { EndedSnapshot, LiveSnapshot, OutputSummary, TaskSnapshot } from './model/snapshot.ts';
export {
  type EndedStatus,
  isEnded,
  type Leftover,
  type LeftoversPolicy,
  type LiveStatus,
  type OnLimit,
  type OutputWay,
  type StatusReason,
  type TaskStatus,
  type TerminalSize,
} from './model/words.ts';
export type { SignalMessage } from './platform/signal.ts';
export type { Color, Look, Run } from './terminal/cells.ts';
export type { Screen } from './terminal/screen.ts';
export type { ScreenMatch } from './terminal/screen-search.ts';
