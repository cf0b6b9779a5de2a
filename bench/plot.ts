/** A line of a panel. */
interface Series {
  readonly name: string;
  /** Points in the order of x. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** One set of axes. The y axis begins at 0. */
export interface Panel {
  readonly title: string;
  readonly series: readonly Series[];
}

/** Panels above each other, over one x axis. */
export interface Plot {
  readonly title: string;
  readonly xTitle: string;
  readonly panels: readonly Panel[];
}

const [width, panelHeight, left, right, top, gap] = [720, 110, 64, 150, 44, 34];
const colours = ['#0b6e99', '#d9730d', '#448361', '#9065b0', '#c14c8a', '#7a7a00'];

/** The plot as a picture. Its colours can be read on white and on black. */
export function asSvg({ title, xTitle, panels }: Plot): string {
  const xs = panels.flatMap(({ series }) => series.flatMap(({ points }) => points.map(([x]) => x)));
  const mostX = Math.max(...xs, 1e-9);
  const height = top + panels.length * (panelHeight + gap) + 16;
  const body = panels.map((panel, at) => panelSvg(panel, top + at * (panelHeight + gap), mostX));
  const last = top + panels.length * (panelHeight + gap) - gap;
  const xLabels = ticks(mostX).map((x) => text(scaleX(x, mostX), last + 14, number(x), 'middle'));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`,
    '  font-family="system-ui, sans-serif" font-size="11" fill="#808080">',
    text(left, 16, title, 'start', ' font-size="13" font-weight="600"'),
    ...body,
    ...xLabels,
    text((left + width - right) / 2, last + 28, xTitle, 'middle'),
    '</svg>',
    '',
  ].join('\n');
}

function panelSvg({ title, series }: Panel, y: number, mostX: number): string {
  const mostY = Math.max(...series.flatMap(({ points }) => points.map(([, value]) => value)), 1e-9) * 1.1;
  const scaleY = (value: number): number => y + panelHeight - (value / mostY) * panelHeight;
  const grid = ticks(mostY, 4).flatMap((value) => [
    `<path d="M${left} ${round(scaleY(value))}H${width - right}" stroke="#808080" stroke-opacity="0.25"/>`,
    text(left - 6, scaleY(value) + 4, number(value), 'end'),
  ]);
  const lines = series.flatMap(({ name, points }, at) => {
    const path = points.map(([x, value]) => `${round(scaleX(x, mostX))} ${round(scaleY(value))}`).join('L');
    const colour = colours[at % colours.length] ?? '#808080';
    return [
      `<path d="M${path}" fill="none" stroke="${colour}" stroke-width="1.5"/>`,
      text(width - right + 8, y + 12 + at * 15, name, 'start', ` fill="${colour}"`),
    ];
  });
  return [text(left, y - 6, title, 'start'), ...grid, ...lines].join('\n');
}

/** A bar of a chart. */
export interface Bar {
  readonly name: string;
  /** `null`: there is no figure, and `label` says why. */
  readonly value: number | null;
  readonly label: string;
}

/** Bars below each other, by the logarithm of their values, since they differ by thousands of times. */
export function asBarChart(title: string, bars: readonly Bar[]): string {
  const rowHeight = 22;
  const [labelWidth, barsWidth] = [190, 380];
  const height = top + bars.length * rowHeight + 8;
  const known = bars.flatMap(({ value }) => (value === null || value <= 0 ? [] : [value]));
  const [least, most] = [Math.min(...known) / 2, Math.max(...known, 1e-9)];
  const length = (value: number): number =>
    Math.max(2, (Math.log(value / least) / Math.log(most / least)) * barsWidth);
  const rows = bars.flatMap(({ name, value, label }, at) => {
    const y = top + at * rowHeight;
    const size = value === null || value <= 0 ? 0 : length(value);
    const colour = name.startsWith('outlive') ? colours[0] : '#a0a0a0';
    return [
      text(labelWidth - 8, y + 12, name, 'end'),
      `<rect x="${labelWidth}" y="${y}" width="${round(size)}" height="16" fill="${colour}"/>`,
      text(labelWidth + size + 6, y + 12, label, 'start'),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`,
    '  font-family="system-ui, sans-serif" font-size="11" fill="#808080">',
    text(16, 16, title, 'start', ' font-size="13" font-weight="600"'),
    text(16, 32, 'Shorter is better. The scale is logarithmic.', 'start'),
    ...rows,
    '</svg>',
    '',
  ].join('\n');
}

function scaleX(x: number, mostX: number): number {
  return left + (x / mostX) * (width - left - right);
}

/** Round numbers from 0 to the most, some so many. */
function ticks(most: number, about = 6): number[] {
  const rough = most / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? power;
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, at) => at * step);
}

function text(x: number, y: number, content: string, anchor: string, more = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${more}>${escaped}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function number(value: number): string {
  return String(Number(value.toPrecision(4)));
}
