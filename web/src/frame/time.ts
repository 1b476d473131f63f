import { useSyncExternalStore } from "react";
import { locale, texts } from "../texts";

const units: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

/** "3 min ago", "in 2 hr": whole units, rounded towards now. */
export function relative(at: number, now: number): string {
  const seconds = (at - now) / 1000;
  const [unit, length] = units.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  const whole = Math.trunc(seconds / length);
  if (whole === 0) return texts.time.now;
  return new Intl.RelativeTimeFormat(locale(), { style: "narrow", numeric: "always" }).format(whole, unit);
}

export const absolute = (at: number): string =>
  new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "long" }).format(at);

export const clock = (at: number): string =>
  new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(
    at,
  );

/** "3:07" or "1:02:09". */
export function length(durationMs: number): string {
  const seconds = Math.max(0, Math.round(durationMs / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (value: number) => String(value).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** "90 s", "15 min", "6 h", "2 d". */
export function every(seconds: number): string {
  const [unit, size] =
    seconds >= 172_800
      ? ["day", 86_400]
      : seconds >= 7200
        ? ["hour", 3600]
        : seconds >= 120
          ? ["minute", 60]
          : ["second", 1];
  return new Intl.NumberFormat(locale(), {
    style: "unit",
    unit: String(unit),
    unitDisplay: "short",
    maximumFractionDigits: 1,
  }).format(seconds / Number(size));
}

const beatMs = 1000;
let now = Date.now();
let timer: ReturnType<typeof setInterval> | null = null;
const watchers = new Set<() => void>();

function beat(): void {
  now = Date.now();
  for (const watcher of watchers) watcher();
}

function follow(watcher: () => void): () => void {
  watchers.add(watcher);
  if (timer === null) {
    now = Date.now();
    timer = setInterval(() => document.hidden || beat(), beatMs);
  }
  return () => {
    watchers.delete(watcher);
    if (watchers.size > 0 || timer === null) return;
    clearInterval(timer);
    timer = null;
  };
}

const readNow = (): number => now;

/** The time, one beat a second for the whole page; it stands still while nobody looks. */
export const useNow = (): number => useSyncExternalStore(follow, readNow);
