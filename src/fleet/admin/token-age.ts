/** How long the token of a member is valid, in milliseconds. A machine that is off for longer needs an invitation. */
export const memberTokenMs = 30 * 86_400_000;

/** Whether half of a token's lifetime is over, so that it must be renewed. */
export function isHalfOver(
  { issuedAt, expiresAt }: { issuedAt: number; expiresAt: number | null },
  now: number,
): boolean {
  return expiresAt !== null && now >= (issuedAt + expiresAt) / 2;
}
