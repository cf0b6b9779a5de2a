import { Terminal } from '@xterm/xterm';
import type { Failure } from '../protocol.ts';
import type { Channel } from './link.ts';

interface Listener {
  bytes(bytes: Uint8Array): void;
  end(error: Failure | null): void;
}

interface Mounting {
  readonly readOnly: boolean;
  open(size: { readonly cols: number; readonly rows: number }, listener: Listener): Channel;
  failed(message: string): void;
}

/** Shows a terminal in an element until the returned function is called. */
export function mountTerminal(element: HTMLElement, { readOnly, open, failed }: Mounting): () => void {
  allowItsStyles();
  loadStyles();
  const terminal = new Terminal({
    disableStdin: readOnly,
    cursorBlink: false,
    fontFamily: 'ui-monospace, Menlo, Consolas, monospace',
    fontSize: 13,
    scrollback: 2_000,
    screenReaderMode: true,
    // A link opens only after a person has seen its address and confirmed.
    linkHandler: { activate: (_event, text) => openLink(text), allowNonHttpProtocols: false },
  });
  terminal.open(element);
  const fitIn = (): void => {
    const size = sizeIn(element);
    if (size.cols !== terminal.cols || size.rows !== terminal.rows) terminal.resize(size.cols, size.rows);
  };
  fitIn();
  const channel = open(
    { cols: terminal.cols, rows: terminal.rows },
    {
      bytes: (bytes) => terminal.write(bytes),
      end: (error) => {
        if (error !== null) failed(error.message);
      },
    },
  );
  terminal.onData((text) => channel.type(text));
  terminal.onResize(({ cols, rows }) => channel.resize(cols, rows));
  // Keys to leave the terminal, since Tab goes to the program.
  terminal.attachCustomKeyEventHandler((event) => {
    const leaves = event.key === 'Escape' && event.ctrlKey && event.shiftKey;
    if (leaves) document.querySelector<HTMLElement>('[role=tab][aria-selected=true]')?.focus();
    return !leaves && !(readOnly && event.key === 'Tab');
  });
  const observer = new ResizeObserver(fitIn);
  observer.observe(element);
  if (!readOnly) terminal.focus();
  return () => {
    observer.disconnect();
    channel.close();
    terminal.dispose();
  };
}

/** The size that fits, measured by a character of the same font. */
function sizeIn(element: HTMLElement): { readonly cols: number; readonly rows: number } {
  const row = element.querySelector<HTMLElement>('.xterm-rows > div');
  const probe = document.createElement('span');
  probe.className = 'probe';
  probe.textContent = 'W'.repeat(50);
  element.append(probe);
  const width = probe.getBoundingClientRect().width / 50;
  const height = row?.getBoundingClientRect().height || probe.getBoundingClientRect().height;
  probe.remove();
  return {
    cols: Math.max(20, Math.min(400, Math.floor((element.clientWidth - 20) / Math.max(1, width)))),
    rows: Math.max(6, Math.min(120, Math.floor((element.clientHeight - 4) / Math.max(1, height)))),
  };
}

let areAllowed = false;

/** The terminal makes style elements, which the page allows by the nonce of its own styles. Nothing else makes any. */
function allowItsStyles(): void {
  if (areAllowed) return;
  areAllowed = true;
  const nonce = document.querySelector<HTMLLinkElement>('link[rel=stylesheet]')?.nonce ?? '';
  const create = document.createElement.bind(document) as (
    name: string,
    options?: ElementCreationOptions,
  ) => HTMLElement;
  document.createElement = ((name: string, options?: ElementCreationOptions) => {
    const element = create(name, options);
    if (name.toLowerCase() === 'style') element.nonce = nonce;
    return element;
  }) as typeof document.createElement;
}

function loadStyles(): void {
  if (document.querySelector('link[href="/terminal.css"]') !== null) return;
  const link = document.createElement('link');
  link.rel = 'stylesheet';
  link.href = '/terminal.css';
  document.head.append(link);
}

function openLink(text: string): void {
  if (!/^https?:\/\//.test(text)) return;
  if (confirm(`Open this address?\n\n${text}`)) open(text, '_blank', 'noopener,noreferrer');
}
