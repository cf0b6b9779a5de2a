import { kill } from './kill.ts';
import { output } from './output.ts';
import { run, runAnywhere } from './run.ts';
import { screen } from './screen.ts';
import { send } from './send.ts';
import { tasks } from './tasks.ts';
import type { Tool } from './tool.ts';
import { wait } from './wait.ts';
import { watch } from './watch.ts';

/** Every tool, in the order in which models read them. */
export const allTools: readonly Tool[] = [run, wait, watch, output, send, screen, tasks, kill];

/** The same for a server that is a client of a fleet. */
export const toolsWithFleet: readonly Tool[] = allTools.map((tool) => (tool === run ? runAnywhere : tool));
