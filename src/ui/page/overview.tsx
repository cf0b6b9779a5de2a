import { visible } from '../../util/visible.ts';
import { Counts } from './counts.tsx';
import { helpIsOpen } from './help.tsx';
import { linkState, served } from './link.ts';
import { TaskList } from './list.tsx';
import { filterText, fleetTrouble, isReady, rows, span, tasks } from './state.ts';
import { Timeline } from './timeline.tsx';
import { Toolbar } from './toolbar.tsx';

/** The first screen: counts, filter, timeline, list. */
export function Overview() {
  return (
    <>
      <header class="top">
        <h1>outlive</h1>
        <Counts />
        <input
          type="search"
          data-key="/"
          class="filter"
          aria-label="Filter"
          placeholder="Filter: words, status:failed, session:…  ( / )"
          value={filterText.value}
          onInput={({ currentTarget }) => (filterText.value = currentTarget.value)}
          onKeyDown={leaveFilter}
        />
        <span class={`link ${linkState.value}`}>
          {linkState.value === 'live'
            ? served.value.readOnly
              ? 'live, read-only'
              : 'live'
            : linkState.value}
        </span>
        <button
          type="button"
          class="quiet"
          onClick={() => (helpIsOpen.value = true)}
          aria-label="Keys and words"
        >
          ?
        </button>
      </header>
      <main class="overview">
        <Timeline />
        <Toolbar />
        {fleetTrouble.value !== '' && (
          <p class="dim" role="status">
            The state of tasks on other hosts may be old: {visible(fleetTrouble.value)}
          </p>
        )}
        <TaskList />
        <Nothing />
      </main>
    </>
  );
}

function Nothing() {
  if (!isReady.value || rows.value.length > 0) return null;
  if (tasks.value.size === 0)
    return (
      <p class="nothing">
        No tasks yet. Start one: <code>outlive run -n build 'make'</code>
      </p>
    );
  const clear = (): void => {
    filterText.value = '';
    span.value = null;
  };
  return (
    <p class="nothing">
      None of {tasks.value.size} tasks matches.{' '}
      <button type="button" onClick={clear}>
        Show all
      </button>
    </p>
  );
}

function leaveFilter(event: KeyboardEvent): void {
  if (event.key === 'Escape') {
    filterText.value = '';
    event.preventDefault();
  } else if (event.key !== 'ArrowDown' && event.key !== 'Enter') return;
  document.querySelector<HTMLElement>('.list')?.focus();
}
