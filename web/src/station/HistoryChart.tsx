import { useEffect, useRef } from "react";
import type uPlot from "uplot";
import type { History } from "../api/types";
import { useTheme } from "../app/theme";
import { chartTokens, drawChart, showLast } from "../frame/chart";
import { locale, texts } from "../texts";

const heightPx = 180;
const dayS = 86_400;
const t = texts.history;

/** As uPlot wants it, oldest first: times in seconds, median and 95th percentile of response in ms, rate in kbit/s. */
export function columnsOf(rows: History): uPlot.AlignedData {
  return [
    rows.map((row) => Date.parse(row.at) / 1000),
    rows.map((row) => row.response_p50_ms),
    rows.map((row) => row.response_p95_ms),
    rows.map((row) => row.bandwidth_kbps),
  ];
}

const dated = (time: number): string =>
  new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short" }).format(time * 1000);

function ticks(times: number[]): string[] {
  const span = (times.at(-1) ?? 0) - (times[0] ?? 0);
  const short: Intl.DateTimeFormatOptions =
    span > 2 * dayS ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  return times.map((time) => new Intl.DateTimeFormat(locale(), short).format(time * 1000));
}

function optionsFor(box: HTMLElement): Omit<uPlot.Options, "width"> {
  const { token, axis } = chartTokens(box);
  const told = (unit: string) => (_: uPlot, value: number | null) =>
    value === null ? "–" : `${Math.round(value)} ${unit}`;
  const line = { width: 1.5, spanGaps: false };
  return {
    height: heightPx,
    padding: [8, 0, 0, 0],
    cursor: { y: false, drag: { setScale: false } },
    hooks: { setCursor: [showLast] },
    scales: {
      ms: { range: (_, __, max) => [0, Math.max(10, max * 1.15)] },
      kbps: { range: (_, __, max) => [0, Math.max(10, max * 1.15)] },
    },
    axes: [
      { ...axis, space: 80, size: 24, values: (_, times) => ticks(times) },
      { ...axis, scale: "ms", size: 44 },
      { ...axis, scale: "kbps", side: 1, size: 44, grid: { show: false } },
    ],
    series: [
      { value: (_, time) => (time === null ? "" : dated(time)) },
      { ...line, label: t.median, scale: "ms", stroke: token("--accent-ink"), value: told("ms") },
      { ...line, label: t.slow, scale: "ms", stroke: token("--failing"), dash: [2, 3], value: told("ms") },
      { ...line, label: t.rate, scale: "kbps", stroke: token("--playing"), dash: [5, 3], value: told("kbit/s") },
    ],
  };
}

export default function HistoryChart({ rows }: { rows: History }) {
  const box = useRef<HTMLElement>(null);
  const theme = useTheme();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours are read from the theme
  useEffect(
    () => (box.current === null ? undefined : drawChart(box.current, optionsFor(box.current), columnsOf(rows))),
    [rows, theme],
  );
  return <figure className="chart" dir="ltr" ref={box} role="img" aria-label={t.chart} />;
}
