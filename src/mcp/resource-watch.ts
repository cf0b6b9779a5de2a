/** How often what somebody has subscribed to is looked at. */
const everyMs = 500;

/** Looks at resources that somebody has subscribed to, and at nothing while nobody has. */
export class ResourceWatch {
  readonly #stateOf: (uri: string) => string | null;
  readonly #changed: (uri: string) => void;
  /** Each resource: by whom it is watched, and how it was when it was last looked at. */
  readonly #watched = new Map<string, { readonly by: Set<unknown>; state: string | null }>();
  #timer: NodeJS.Timeout | undefined;

  /** @param stateOf a short text that differs when the resource has changed. */
  constructor(stateOf: (uri: string) => string | null, changed: (uri: string) => void) {
    this.#stateOf = stateOf;
    this.#changed = changed;
  }

  add(uri: string, by: unknown): void {
    const watched = this.#watched.get(uri) ?? { by: new Set(), state: this.#stateOf(uri) };
    watched.by.add(by);
    this.#watched.set(uri, watched);
    this.#timer ??= setInterval(() => this.look(), everyMs);
    this.#timer.unref();
  }

  /** Ends what somebody has subscribed to, or only one resource of it. */
  remove(by: unknown, uri?: string): void {
    for (const [watchedUri, watched] of this.#watched) {
      if (uri !== undefined && uri !== watchedUri) continue;
      watched.by.delete(by);
      if (watched.by.size === 0) this.#watched.delete(watchedUri);
    }
    if (this.#watched.size === 0) this.close();
  }

  /** Looks now, and tells of what has changed. */
  look(): void {
    for (const [uri, watched] of this.#watched) {
      const state = this.#stateOf(uri);
      if (state === watched.state) continue;
      watched.state = state;
      this.#changed(uri);
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#watched.clear();
  }
}
