import { kill } from './kill.ts';
import { output } from './output.ts';
import { run } from './run.ts';
import { tasks } from './tasks.ts';
import type { Tool } from './tool.ts';
import { wait } from './wait.ts';

/** Every tool, in the order in which models read them. */
export const allTools: readonly Tool[] = [run, wait, output, tasks, kill];
