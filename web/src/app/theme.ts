import { useSyncExternalStore } from "react";

export type Theme = "dark" | "light";
const key = "airledger.theme";
const bright = matchMedia("(prefers-color-scheme: light)");
const watchers = new Set<() => void>();

function stored(): Theme | null {
  try {
    const value = localStorage.getItem(key);
    return value === "dark" || value === "light" ? value : null;
  } catch {
    // Storage can be forbidden by the browser; then the system's preference decides each time.
    return null;
  }
}

let theme: Theme = stored() ?? (bright.matches ? "light" : "dark");

function show(next: Theme): void {
  theme = next;
  document.documentElement.dataset["theme"] = next;
  for (const watcher of watchers) watcher();
}

export function startTheme(): void {
  show(theme);
  bright.addEventListener("change", () => {
    if (stored() === null) show(bright.matches ? "light" : "dark");
  });
}

export function switchTheme(): void {
  const next = theme === "dark" ? "light" : "dark";
  try {
    localStorage.setItem(key, next);
  } catch {
    // The choice then lasts as long as the page.
  }
  show(next);
}

function follow(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

const read = (): Theme => theme;

export const useTheme = (): Theme => useSyncExternalStore(follow, read);
