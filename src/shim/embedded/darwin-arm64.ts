/** The shim of macOS on arm64, compressed by brotli, as base64. The build puts it into the compiled file where there is one. */
export const program: string | null = null;
