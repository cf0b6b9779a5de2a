/**
 * The sha256 of the shim of each platform and processor, such as `linux-x64`. The source names none: the build puts them
 * into the compiled file (scripts/native/place.mjs).
 */
export const shimHashes: Readonly<Record<string, string>> = {};
