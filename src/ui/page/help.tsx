import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

export const helpIsOpen = signal(false);

const keys: readonly (readonly [string, string])[] = [
  ['/', 'filter the list, or search in the output'],
  ['↑ ↓ j k', 'another task; also Home, End, Page Up, Page Down'],
  ['Enter', 'open the task'],
  ['Space', 'select it'],
  ['x', 'stop the selected tasks, or the task'],
  ['a', 'acknowledge its end'],
  ['r', 'restart it'],
  ['Esc', 'back to the list; in the filter: clear it'],
  ['f', 'in a task: follow its output, or pause'],
  ['n N', 'in a task: the next hit, the previous hit'],
];

const words: readonly (readonly [string, string])[] = [
  ['build web', 'both words in the name, command, session, folder or id'],
  ['status:failed', 'only that status'],
  ['session:work', 'only sessions with that in their name'],
  ['host:h3', 'only tasks on that host of the fleet'],
  ['label:team=web', 'only with that label; label:team for any value'],
  ['is:live is:ended is:pending', 'tasks that run; that have ended; whose end is not acknowledged'],
  ['-word', 'all tasks that do not match the word'],
];

/** The keys, and the words of the filter. */
export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  const isOpen = helpIsOpen.value;
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
  }, [isOpen]);
  if (!isOpen) return null;
  return (
    <dialog ref={dialog} onClose={() => (helpIsOpen.value = false)} aria-labelledby="help-title">
      <h2 id="help-title">Keys and words</h2>
      <Table rows={keys} caption="Keys" />
      <Table rows={words} caption="Words of the filter" />
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  );
}

function Table({ rows, caption }: { rows: readonly (readonly [string, string])[]; caption: string }) {
  return (
    <table>
      <caption>{caption}</caption>
      <tbody>
        {rows.map(([key, meaning]) => (
          <tr key={key}>
            <th scope="row">
              <kbd>{key}</kbd>
            </th>
            <td>{meaning}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
