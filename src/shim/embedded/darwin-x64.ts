/** The shim of macOS on x64, compressed by brotli, as base64. The build puts it into the compiled file where there is one. */
export const program: string | null = null;
