/** One line of the table: something measured, beside its counterpart in the same run. */
export interface Row {
  readonly what: string;
  /** What section 6 of the design allows, in words; empty where it says nothing. */
  readonly limit: string;
  readonly unit: string;
  /** The median, or the figure itself where there is one only; `null` when it could not be measured. */
  readonly measured: number | null;
  readonly p95: number | null;
  /** What is measured beside it. */
  readonly beside: string;
  readonly besideMeasured: number | null;
  /** The two compared, as the limit compares them. */
  readonly compared: string;
  /** Whether the limit is met; `null` without a limit, or without figures. */
  readonly met: boolean | null;
  /** How many times the limit of a ratio it is; `null` where the limit is no ratio. */
  readonly ofLimit: number | null;
  readonly note: string;
}

/** What was measured, before it is held against a limit. */
export interface Figures {
  readonly what: string;
  readonly unit: string;
  readonly measured: number;
  readonly p95?: number;
  readonly beside: string;
  readonly besideMeasured: number | null;
  readonly note?: string;
}

/** How a figure is judged, and shown beside its counterpart. */
export interface Limit {
  readonly text: string;
  judge(measured: number, beside: number | null): boolean | null;
  compare(measured: number, beside: number, unit: string): string;
  /** The most that the counterpart may be multiplied with, where the limit is that. */
  readonly factor?: number;
}

const ratio = (measured: number, beside: number): string =>
  beside === 0 ? '' : `${figure(measured / beside)} x`;

/** No limit: the figure is there to be looked at. */
export const noLimit: Limit = { text: '', judge: () => null, compare: ratio };

/** Less than so much, whatever the counterpart. */
export function under(most: number, text: string): Limit {
  return { text, judge: (measured) => measured < most, compare: ratio };
}

/** So much or less, whatever the counterpart. */
export function atMost(most: number, text: string): Limit {
  return { text, judge: (measured) => measured <= most, compare: ratio };
}

/** At most so much more than the counterpart. */
export function atMostMore(extra: number, unit: string): Limit {
  const difference = (measured: number, beside: number): string =>
    `${measured < beside ? '-' : '+'}${figure(Math.abs(measured - beside))} ${unit}`;
  return {
    text: `at most ${extra} ${unit} more`,
    judge: (measured, beside) => (beside === null ? null : measured - beside <= extra),
    compare: difference,
  };
}

/** At most so many times the counterpart. */
export function atMostTimes(factor: number): Limit {
  return {
    text: `at most ${factor} x`,
    factor,
    judge: (measured, beside) => (beside === null ? null : measured <= factor * beside),
    compare: ratio,
  };
}

/** At least so many times the counterpart: more is better. */
export function atLeastTimes(factor: number): Limit {
  return {
    text: `at least ${factor} x`,
    judge: (measured, beside) => (beside === null ? null : measured >= factor * beside),
    compare: ratio,
  };
}

/** So many times less than the counterpart. */
export function timesFaster(factor: number): Limit {
  return {
    text: `at least ${factor} x faster`,
    judge: (measured, beside) => (beside === null ? null : measured * factor <= beside),
    compare: (measured, beside) => `${figure(beside / measured)} x faster`,
  };
}

/** Holds figures against a limit. */
export function judge(figures: Figures, limit: Limit): Row {
  const { measured, besideMeasured, unit } = figures;
  return {
    ...figures,
    limit: limit.text,
    p95: figures.p95 ?? null,
    compared: besideMeasured === null ? '' : limit.compare(measured, besideMeasured, unit),
    met: limit.judge(measured, besideMeasured),
    ofLimit:
      limit.factor === undefined || besideMeasured === null
        ? null
        : measured / (limit.factor * besideMeasured),
    note: figures.note ?? '',
  };
}

/** Three digits that count, and no more than three decimals. */
export function figure(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return String(Math.round(value));
  if (size >= 10) return String(Math.round(value * 10) / 10);
  return String(Math.round(value * (size >= 1 ? 100 : 1000)) / (size >= 1 ? 100 : 1000));
}
