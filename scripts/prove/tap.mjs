// What the output of Node's test runner says, in TAP.

/** Totals, the names of what failed, and what tests said that they measured ("figure: ..."). */
export function readTap(text) {
  const total = (name) => Number(text.match(new RegExp(`^# ${name} (\\d+)$`, 'm'))?.[1] ?? 0);
  return {
    tests: total('tests'),
    passed: total('pass'),
    failures: [...text.matchAll(/^ *not ok \d+ - (.*)$/gm)].map(([, name]) => name),
    failedSources: [...text.matchAll(/^ *location: '([^']*):\d+:\d+'$/gm)].map(([, source]) => source),
    figures: [...text.matchAll(/^ *# figure: (.*)$/gm)].map(([, figure]) => unescapeTap(figure)),
  };
}

function unescapeTap(text) {
  return text.replace(/\\([#\\])/g, '$1');
}
