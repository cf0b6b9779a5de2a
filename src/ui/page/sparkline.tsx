import type { Sample } from './state.ts';

const [width, height] = [44, 14];

/** How many samples a minute has. */
const mostSamples = 30;

/** The CPU usage of a task in the last minute. The number next to it says the same. */
export function Sparkline({ samples }: { samples: readonly Sample[] }) {
  const most = Math.max(100, ...samples.map(([cpu]) => cpu));
  const first = mostSamples - samples.length;
  const points = samples
    .map(
      ([cpu], index) =>
        `${((first + index) * width) / (mostSamples - 1)},${height - 1 - (cpu / most) * (height - 2)}`,
    )
    .join(' ');
  return (
    <svg class="spark" width={width} height={height} aria-hidden="true">
      <polyline points={points} />
    </svg>
  );
}
