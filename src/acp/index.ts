export { serveTerminals } from './serve-terminals.ts';
export type { TerminalSpawnOptions, Terminals, TerminalsOptions, WaitForExitOptions } from './terminals.ts';
export {
  type TerminalOutputChunk,
  type TerminalUpdate,
  type TerminalUpdatesOptions,
  terminalUpdates,
} from './updates.ts';
