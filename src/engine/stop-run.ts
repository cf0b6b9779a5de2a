/** A stop in progress in this process: shared by everybody who asks for the end of the same task meanwhile. */
export interface StopRun {
  readonly finished: Promise<void>;
  /** Another request: its signal goes out at once, and the shorter grace counts. */
  hasten(request: { readonly graceMs: number; readonly killSignal: NodeJS.Signals }): void;
}
