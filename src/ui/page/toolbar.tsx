import type { Action } from '../protocol.ts';
import { shownTime } from '../shown.ts';
import { say } from './announce.ts';
import { actionWords, askTo } from './confirm.tsx';
import { served } from './link.ts';
import { rows, selected, selectedIds, span } from './state.ts';

const actions: readonly Action[] = ['stop', 'acknowledge', 'restart', 'prune'];

/** The actions for the selected tasks. */
export function Toolbar() {
  const ids = selectedIds.value;
  const all = rows.value.length > 0 && rows.value.every(({ taskId }) => selected.value.has(taskId));
  const selectAll = (): void => {
    selected.value = all ? new Set() : new Set(rows.value.map(({ taskId }) => taskId));
  };
  return (
    <div class="toolbar" role="toolbar" aria-label="Selected tasks">
      <label class="check">
        <input type="checkbox" checked={all} onChange={selectAll} />
        {ids.length === 0 ? `Select all ${rows.value.length}` : `${ids.length} selected`}
      </label>
      {ids.length > 0 &&
        !served.value.readOnly &&
        actions.map((action) => (
          <button type="button" key={action} onClick={() => askTo(action, ids)}>
            {actionWords[action][0]}
          </button>
        ))}
      {ids.length > 0 && (
        <button type="button" onClick={() => void copy(ids.join('\n'), 'the ids')}>
          Copy ids
        </button>
      )}
      {span.value !== null && (
        <button type="button" onClick={() => (span.value = null)}>
          {shownTime(span.value.from)} to {shownTime(span.value.to).slice(11)} ×
        </button>
      )}
    </div>
  );
}

/** Copies a text, and announces it. */
export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    say(`Copied ${what}`);
  } catch (error) {
    // A page from another machine may not copy, nor one that was refused the permission.
    say(`Could not copy ${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
