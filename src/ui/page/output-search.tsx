import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Hit, SearchData, StreamName } from '../protocol.ts';
import { type Channel, open } from './link.ts';
import type { LogReader } from './log-reader.ts';

interface SearchProps {
  readonly taskId: string;
  readonly stream: StreamName;
  readonly reader: LogReader;
  readonly box: { current: HTMLDivElement | null };
}

/** Searches the whole output, on the server, and shows each hit in its place. */
export function OutputSearch({ taskId, stream, reader, box }: SearchProps) {
  const pattern = useSignal('');
  const isRegexp = useSignal(false);
  const ignoreCase = useSignal(false);
  const hits = useSignal<readonly Hit[]>([]);
  const at = useSignal(-1);
  /** Where the next search begins; null: all was searched. */
  const more = useSignal<number | null>(null);
  const state = useSignal<'idle' | 'searching' | 'done'>('idle');
  const error = useSignal('');
  const channel = useRef<Channel | null>(null);

  const search = (offset: number): void => {
    channel.current?.close();
    error.value = '';
    if (offset === 0) {
      hits.value = [];
      at.value = -1;
      mark(null);
    }
    more.value = null;
    if (pattern.value === '') {
      state.value = 'idle';
      return;
    }
    state.value = 'searching';
    channel.current = open<SearchData>(
      {
        kind: 'search',
        taskId,
        stream,
        pattern: pattern.value,
        isRegexp: isRegexp.value,
        ignoreCase: ignoreCase.value,
        offset,
      },
      {
        data({ hits: found, to }) {
          hits.value = [...hits.value, ...found];
          more.value = to;
          if (at.value < 0 && hits.value.length > 0) void goTo(0);
        },
        end(failure) {
          state.value = 'done';
          if (failure !== null) error.value = failure.message;
        },
      },
    );
  };
  const goTo = async (index: number): Promise<void> => {
    const hit = hits.value[index];
    if (hit === undefined) return;
    at.value = index;
    if (reader.part.value.placeOf(hit.offset) === null) await reader.goTo(hit.offset);
    else reader.pause();
    requestAnimationFrame(() => {
      // The person may have gone on meanwhile: to another hit, or to the end.
      if (at.value === index && !reader.follows.value) showHit(hit, reader, box.current);
    });
  };
  const step = (by: number): void => {
    const next = at.value + by;
    if (next >= hits.value.length && more.value !== null) search(more.value);
    else void goTo((next + hits.value.length) % Math.max(1, hits.value.length));
  };
  useEffect(() => {
    const takeKey = (event: KeyboardEvent): void => {
      if ((event.target as HTMLElement).closest('input, select, textarea, dialog') !== null) return;
      if (event.key === 'n') step(1);
      else if (event.key === 'N') step(-1);
    };
    addEventListener('keydown', takeKey);
    return () => {
      removeEventListener('keydown', takeKey);
      channel.current?.close();
      mark(null);
    };
  }, [taskId, stream, reader]);
  return (
    <form
      class="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        if (state.value === 'done' && hits.value.length > 0) step(1);
        else search(0);
      }}
    >
      <input
        type="search"
        data-key="/"
        aria-label="Search in the whole output"
        placeholder="Search all of it ( / )"
        value={pattern.value}
        onInput={({ currentTarget }) => {
          pattern.value = currentTarget.value;
          state.value = 'idle';
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape') box.current?.focus();
        }}
      />
      <button type="submit">Search</button>
      <label class="check">
        <input
          type="checkbox"
          checked={ignoreCase.value}
          onChange={({ currentTarget }) => changed(ignoreCase, currentTarget.checked)}
        />{' '}
        ignore case
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={isRegexp.value}
          onChange={({ currentTarget }) => changed(isRegexp, currentTarget.checked)}
        />{' '}
        pattern
      </label>
      <span class="hits" role="status" aria-busy={state.value === 'searching'}>
        {words()}
      </span>
      {hits.value.length > 0 && (
        <>
          <button type="button" aria-label="Previous hit" onClick={() => step(-1)}>
            ↑
          </button>
          <button type="button" aria-label="Next hit" onClick={() => step(1)}>
            ↓
          </button>
        </>
      )}
      {error.value !== '' && <p role="alert">{error.value}</p>}
    </form>
  );

  function changed(option: { value: boolean }, value: boolean): void {
    option.value = value;
    state.value = 'idle';
  }

  function words(): string {
    if (state.value === 'searching') return `searching… ${hits.value.length}`;
    if (state.value === 'idle' && hits.value.length === 0) return '';
    if (hits.value.length === 0) return 'no hits';
    return `${at.value + 1} of ${hits.value.length}${more.value === null ? '' : '+'} lines`;
  }
}

/** Scrolls to a hit and marks it. */
function showHit(hit: Hit, reader: LogReader, box: HTMLElement | null): void {
  const place = reader.part.value.placeOf(hit.offset);
  const pre = place && box?.querySelector(`pre[data-from="${place.block.from}"]`);
  const text = pre?.firstChild;
  if (!place || !box || !(text instanceof Text)) return;
  // The shown line may differ from the searched one: it is without overwritten text.
  const within = Math.max(0, place.line.indexOf(hit.text));
  const begin = Math.min(text.length, place.index + within);
  const range = new Range();
  range.setStart(text, begin);
  range.setEnd(text, Math.min(text.length, begin + hit.text.length));
  const [there, here] = [range.getBoundingClientRect(), box.getBoundingClientRect()];
  box.scrollTop += there.top - here.top - box.clientHeight / 3;
  reader.top = box.scrollTop;
  mark(range);
}

function mark(range: Range | null): void {
  // An old browser has no highlights, so the text is selected instead.
  if (!('highlights' in CSS)) {
    getSelection()?.removeAllRanges();
    if (range !== null) getSelection()?.addRange(range);
  } else if (range === null) CSS.highlights.delete('hit');
  else CSS.highlights.set('hit', new Highlight(range));
}
