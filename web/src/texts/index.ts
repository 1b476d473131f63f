import { en } from "./en";

export type Texts = typeof en;

// A second language is one more file with the type `Texts` and one more entry here.
const catalogues: Record<string, Texts> = { en };

function chosen(languages: readonly string[]): Texts {
  for (const language of languages) {
    const found = catalogues[language.split("-")[0] ?? ""];
    if (found !== undefined) return found;
  }
  return en;
}

export const texts: Texts = chosen(typeof navigator === "undefined" ? [] : navigator.languages);

export const locale = (): string => texts.meta.lang;
