export type { Completion, CompletionsOptions } from './api/completions.ts';
export type { Diagnosis } from './api/doctor.ts';
export { diagnose, openStore } from './api/entry-points.ts';
export type { TaskBounds, TaskInspection, TaskProcess } from './api/inspect.ts';
export type { WatchMatch } from './api/match-feed.ts';
export type { StoreOptions } from './api/open-store.ts';
export type { FollowOptions, OutputChunk, ReadOptions, TailOptions } from './api/output.ts';
export type { PruneOptions, PruneResult } from './api/prune.ts';
export type { EndOptions, RunOptions, RunResult, Session, ShutdownOptions } from './api/session.ts';
export type { OwedMatch } from './api/session-watches.ts';
export type { SessionOptions, Store, StorePruneOptions, TaskFilter } from './api/store.ts';
export type { KillOptions, Task, WaitOptions } from './api/task.ts';
export type { TaskUsage, UsageMeter } from './api/usage.ts';
export type { WaitForCause, WaitForOptions, WaitForResult } from './api/wait-for-options.ts';
export type { WaitAnyResult } from './api/wait-many.ts';
export type { MatchOptions, WatchOptions } from './api/watch-options.ts';
export type { AddWatchOptions } from './api/watch-task.ts';
export type { Finding } from './engine/doctor/finding.ts';
export type { MatchContext } from './engine/match-context.ts';
export type { WatchSummary } from './engine/pattern-watches.ts';
export type { ListeningPort } from './engine/ports.ts';
export type { ResourceOptions } from './engine/resource-request.ts';
export type { BindTo, SpawnOptions } from './engine/spawn-request.ts';
export { type ErrorCode, errorCodes, OutliveError } from './errors/error.ts';
export type { HeldLimit, LimitHolder, ResourceLimit } from './model/held-limits.ts';
export type { HistoryEntry } from './model/history.ts';
export { bounds, defaults } from './model/limits.ts';
export type { PatternMatch } from './model/line-search.ts';
export type { Pattern, RegexpPattern } from './model/pattern.ts';
export type { OutputSummary, TaskSnapshot } from './model/snapshot.ts';
export {
  type EndedStatus,
  isEnded,
  type Leftover,
  type LeftoversPolicy,
  type LiveStatus,
  type OnLimit,
  type TaskStatus,
} from './model/words.ts';
