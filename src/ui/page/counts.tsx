import type { RowStatus } from '../protocol.ts';
import { counts, filterText, tasks } from './state.ts';
import { signs, wordOf } from './status.ts';

/** How many tasks have each status. A click shows only these. */
export function Counts() {
  const found = (Object.keys(signs) as RowStatus[]).filter((status) => counts.value.has(status));
  return (
    <nav class="counts" aria-label="Tasks by status">
      <button type="button" aria-pressed={filterText.value === ''} onClick={() => (filterText.value = '')}>
        {tasks.value.size} all
      </button>
      {found.map((status) => (
        <button
          type="button"
          key={status}
          class={`status ${status}`}
          aria-pressed={filterText.value.includes(`status:${status}`)}
          onClick={() => toggle(status)}
        >
          <span aria-hidden="true">{signs[status]}</span> {counts.value.get(status)} {wordOf(status)}
        </button>
      ))}
    </nav>
  );
}

/** Replaces another status in the filter; other words stay. */
function toggle(status: RowStatus): void {
  const word = `status:${status}`;
  const others = filterText.value.replace(/-?status:\S+/g, '').trim();
  filterText.value = filterText.value.includes(word) ? others : `${others} ${word}`.trim();
}
