export {
  type SessionTool,
  SessionTools,
  type SessionToolsOptions,
  sessionTools,
  type ToolCallOptions,
} from './session-tools.ts';
export type { Told } from './told.ts';
