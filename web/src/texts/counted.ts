/** Numbers and counted words, as English writes them. */
export const numbers = new Intl.NumberFormat("en");
const plural = new Intl.PluralRules("en");
export const count = (n: number, one: string, other: string): string =>
  `${numbers.format(n)} ${plural.select(n) === "one" ? one : other}`;
