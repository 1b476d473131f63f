/** Takes the one-time link out of the address at once, so that it is neither kept in the history nor shared. */
export function takeLink(address: URL): { link: string | null; rest: string } {
  const link = address.searchParams.get("link");
  address.searchParams.delete("link");
  return { link, rest: address.pathname + address.search + address.hash };
}
