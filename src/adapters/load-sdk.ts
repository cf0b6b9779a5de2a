import { OutliveError } from '../errors/error.ts';

/**
 * The SDK of a host, which is loaded when it is used.
 * @throws OutliveError `INVALID_ARGUMENT` when the package is not installed.
 */
export async function loadSdk<Module>(name: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new OutliveError(
      'INVALID_ARGUMENT',
      `expected the package ${name} beside outlive; it cannot be found. Install it: npm install ${name}`,
      { cause: error },
    );
  }
}
