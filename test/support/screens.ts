import type { Moment } from '../../src/terminal/live-screen.ts';
import { openScreen, type TerminalOutput } from '../../src/terminal/open-screen.ts';
import type { Screen, ScreenOptions } from '../../src/terminal/screen.ts';

/** What a terminal shows after all of its output, and whether that was all there. */
export async function rendered(
  output: TerminalOutput,
  { moment = null, ...options }: ScreenOptions & { readonly moment?: Moment | null } = {},
): Promise<{ readonly screen: Screen; readonly whole: boolean }> {
  const { live, whole } = await openScreen(output, moment);
  using screen = live;
  return { screen: screen.screen(options), whole };
}
