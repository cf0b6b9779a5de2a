const form = /^[a-z0-9-]{1,63}\/bgb-[0-9a-f]{12}$/;

/** Whether a text names a task of a fleet: its host and its id there, as in `h3/bgb-0123456789ab`. */
export function isFleetReference(text: string): boolean {
  return form.test(text);
}
