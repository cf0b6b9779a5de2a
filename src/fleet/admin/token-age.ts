/** How long the token of a member is good, in milliseconds: as long as a machine may be off and still be a member. */
export const memberTokenMs = 30 * 86_400_000;

/** Whether to renew a token: half of its time is over. */
export function isHalfOver(
  { issuedAt, expiresAt }: { issuedAt: number; expiresAt: number | null },
  now: number,
): boolean {
  return expiresAt !== null && now >= (issuedAt + expiresAt) / 2;
}
