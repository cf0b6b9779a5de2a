import { signal } from '@preact/signals';
import { render } from 'preact';
import { announcement } from './announce.ts';
import { Confirmation } from './confirm.tsx';
import { Detail } from './detail.tsx';
import { findKey, type Key, keyOfToken, meet } from './door.ts';
import { Help, helpIsOpen } from './help.tsx';
import { connect, linkState, served } from './link.ts';
import { Overview } from './overview.tsx';
import { begin, shownTaskId } from './state.ts';

/** Whether the reader must enter the token, and why. */
const entry = signal<'no' | 'ask' | 'wrong'>('no');
let hasBegun = false;

function Page() {
  if (entry.value !== 'no') return <Entry isWrong={entry.value === 'wrong'} />;
  const taskId = shownTaskId.value;
  return (
    <>
      <Trouble />
      {taskId === null ? <Overview /> : <Detail key={taskId} taskId={taskId} />}
      <Confirmation />
      <Help />
      <div class="said" role="status" aria-live="polite">
        {announcement.value}
      </div>
    </>
  );
}

function Trouble() {
  const state = linkState.value;
  if (state === 'live' || (state === 'connecting' && served.value.store === '')) return null;
  return (
    <div class="trouble" role="alert">
      {state === 'stranger' ? (
        <>
          The server here now does not know the secret of this page, and was sent nothing. Was outlive ui
          started again? Open the address that it printed, or{' '}
          <button onClick={() => (entry.value = 'ask')} type="button">
            give the token
          </button>
        </>
      ) : (
        'Disconnected: what is shown may be old. Trying again…'
      )}
    </div>
  );
}

/** Asks for the token. */
function Entry({ isWrong }: { isWrong: boolean }) {
  const enter = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const text = String(new FormData(event.currentTarget as HTMLFormElement).get('token') ?? '');
    // The whole address may have been pasted.
    const token = text.trim().replace(/^.*#token=/, '');
    await enterWith(keyOfToken(token));
  };
  return (
    <main class="entry">
      <h1>outlive</h1>
      <p>
        This page needs the token of its server: open the address that <code>outlive ui</code> printed, or
        paste it here.
      </p>
      <form onSubmit={(event) => void enter(event)}>
        <label>
          Token or address
          <input name="token" type="password" autocomplete="off" required />
        </label>
        <button type="submit">Open</button>
        <p role="alert">{isWrong ? 'That is not the token of this server.' : ''}</p>
      </form>
    </main>
  );
}

function takeKey(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  const isTyping =
    target.closest('input:not([type=checkbox]):not([type=range]), textarea, select, .terminal, dialog') !==
    null;
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === '/') {
    document.querySelector<HTMLElement>('[data-key="/"]')?.focus();
    event.preventDefault();
  } else if (event.key === '?') helpIsOpen.value = true;
}

/** Enters if the server knows the key; otherwise asks the reader. */
async function enterWith(key: Key): Promise<void> {
  const met = await meet(key);
  if (met === 'stranger') {
    entry.value = 'wrong';
    return;
  }
  entry.value = 'no';
  if (!hasBegun) {
    begin();
    document.addEventListener('keydown', takeKey);
  }
  hasBegun = true;
  connect(key, met);
}

async function start(): Promise<void> {
  const root = document.getElementById('page');
  if (root === null) throw new Error('expected the place of the page');
  const key = await findKey();
  if (key === null) entry.value = 'ask';
  else await enterWith(key);
  render(<Page />, root);
}

void start();
