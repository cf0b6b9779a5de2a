import { test } from 'node:test';
import { arrangements, checkDecision, native, onWindows } from '../unit/model/decide-logs.ts';

for (const [what, kinds] of [
  ['Windows', onWindows],
  ['native shims', native],
] as const)
  test(`the decision for every subset of the facts of ${what}, in every order and variant, is that of the design`, () => {
    for (const log of arrangements(kinds, [])) checkDecision(log);
  });
