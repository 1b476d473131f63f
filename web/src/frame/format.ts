import { locale } from "../texts";
import { joined } from "./joined";

export const whole = (value: number): string =>
  new Intl.NumberFormat(locale(), { maximumFractionDigits: 0 }).format(value);
export const compact = (value: number): string =>
  new Intl.NumberFormat(locale(), {
    notation: value < 100_000 ? "standard" : "compact",
    maximumFractionDigits: 1,
  }).format(value);
export const decimal = (value: number, digits = 2): string =>
  new Intl.NumberFormat(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
export const percent = (share: number, digits = 0): string =>
  new Intl.NumberFormat(locale(), {
    style: "percent",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(share);
export const kbps = (value: number): string => `${whole(value)} kbit/s`;

const regions = new Intl.DisplayNames([locale()], { type: "region", fallback: "code" });
const languages = new Intl.DisplayNames([locale()], { type: "language", fallback: "code" });

export function countryName(code: string): string {
  return /^[A-Za-z]{2}$/.test(code) ? (regions.of(code.toUpperCase()) ?? code) : code;
}

/** A language given as a code becomes its name; directories also give names, which stay. */
export function languageName(value: string): string {
  return /^[a-z]{2,3}$/.test(value) ? (languages.of(value) ?? value) : value.charAt(0).toUpperCase() + value.slice(1);
}

/** A stream that no directory names goes by its host. */
export function nameOf(stream: { name: string | null; url: string }): string {
  if (stream.name) return stream.name;
  return URL.canParse(stream.url) ? new URL(stream.url).host : stream.url;
}

export const placeOf = (stream: {
  city: string | null;
  country_code: string | null;
  country_name: string | null;
}): string =>
  joined(
    [stream.city, stream.country_name ?? (stream.country_code === null ? null : countryName(stream.country_code))],
    ", ",
  );
