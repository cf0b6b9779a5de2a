const storageKey = 'outlive-token';

/** So long other pages of this server have to answer, in milliseconds. */
const answerMs = 300;

/** Pages of one server, in one browser, hand the token to a new one: what is opened in a new tab has none. */
const channel = new BroadcastChannel('outlive-token');
channel.onmessage = ({ data }) => {
  const token = sessionStorage.getItem(storageKey);
  if (data === 'ask' && token !== null) channel.postMessage({ token });
};

/**
 * The token: from the address, whose fragment goes to no server, for a code in it, or as this tab or another one has it. The
 * address has none of it afterwards.
 * @returns null: the reader has to give it.
 */
export async function findToken(): Promise<string | null> {
  const [, kind, secret = ''] = /^#(token|code)=([\w-]+)$/.exec(location.hash) ?? [];
  if (kind === undefined) return sessionStorage.getItem(storageKey) ?? (await askOthers());
  history.replaceState(null, '', '#/');
  const token = kind === 'token' ? secret : await tokenFor(secret);
  if (token !== null) keepToken(token);
  return token;
}

export function keepToken(token: string): void {
  sessionStorage.setItem(storageKey, token);
}

/** Whether the server takes it; null: it does not answer. */
export async function isTaken(token: string): Promise<boolean | null> {
  try {
    const { status } = await fetch('/door', { headers: { authorization: `Bearer ${token}` } });
    return status === 204;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return null;
  }
}

async function tokenFor(code: string): Promise<string | null> {
  const answer = await fetch('/door', { method: 'POST', body: code });
  return answer.ok ? await answer.text() : null;
}

function askOthers(): Promise<string | null> {
  return new Promise((resolve) => {
    const other = new BroadcastChannel('outlive-token');
    const done = (token: string | null): void => {
      clearTimeout(timer);
      other.close();
      if (token !== null) keepToken(token);
      resolve(token);
    };
    const timer = setTimeout(done, answerMs, null);
    other.onmessage = ({ data }) => {
      if (typeof data?.token === 'string') done(data.token);
    };
    other.postMessage('ask');
  });
}
