const key = Symbol.for('outlive.test.warnings');

/** Takes those warnings of this process that are of no store and that a test expects. Any other one still fails the run. */
export class ExpectedWarnings implements Disposable {
  readonly said: string[] = [];

  /** @param form matches the warning and its stack. */
  constructor(form: RegExp) {
    Reflect.set(globalThis, key, (text: string): boolean => {
      if (form.test(text)) this.said.push(text);
      return form.test(text);
    });
  }

  [Symbol.dispose](): void {
    Reflect.deleteProperty(globalThis, key);
  }
}
