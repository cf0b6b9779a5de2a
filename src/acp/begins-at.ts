/** What an answer carries beside its own fields when somebody made the output shorter. */
export function beginsAtMeta({ beginsAt }: { readonly beginsAt: number }): {
  _meta?: { 'outlive/beginsAt': number };
} {
  return beginsAt === 0 ? {} : { _meta: { 'outlive/beginsAt': beginsAt } };
}
