/** The password of every test user of the sample services. Known to the log validators, which look for leaks of it. */
export const testPassword = 'correct horse'

/** The header of a logged-in user. */
export function bearer(token: string): { readonly authorization: string } {
  return { authorization: `Bearer ${token}` }
}
