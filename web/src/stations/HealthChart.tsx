import { useEffect, useRef } from "react";
import type uPlot from "uplot";
import type { Metric } from "../api/types";
import { useTheme } from "../app/theme";
import { chartTokens, drawChart, showLast } from "../frame/chart";
import { clock } from "../frame/time";
import { texts } from "../texts";

const heightPx = 132;
const t = texts.drawer;

/** Oldest first, as uPlot wants it: times in seconds, response in ms, rate in kbit/s. */
export function columnsOf(metrics: readonly Metric[]): uPlot.AlignedData {
  const rows = metrics.toSorted((a, b) => a.check_timestamp.localeCompare(b.check_timestamp));
  return [
    rows.map((row) => Date.parse(row.check_timestamp) / 1000),
    rows.map((row) => row.response_time_ms),
    rows.map((row) => row.bandwidth_kbps),
  ];
}

function optionsFor(box: HTMLElement): Omit<uPlot.Options, "width"> {
  const { token, axis } = chartTokens(box);
  const dot = { show: true, size: 4 };
  return {
    height: heightPx,
    padding: [8, 0, 0, 0],
    cursor: { y: false, drag: { setScale: false } },
    legend: { live: true },
    hooks: { setCursor: [showLast] },
    scales: {
      ms: { range: (_, __, max) => [0, Math.max(10, max * 1.15)] },
      kbps: { range: (_, __, max) => [0, Math.max(10, max * 1.15)] },
    },
    axes: [
      { ...axis, space: 70, size: 24, values: (_, times) => times.map((time) => clock(time * 1000).slice(0, 5)) },
      { ...axis, scale: "ms", size: 40 },
      { ...axis, scale: "kbps", side: 1, size: 40, grid: { show: false } },
    ],
    series: [
      { value: (_, time) => (time === null ? "" : clock(time * 1000)) },
      {
        label: t.response,
        scale: "ms",
        stroke: token("--accent-ink"),
        width: 1.5,
        points: dot,
        value: (_, ms) => (ms === null ? "–" : `${Math.round(ms)} ms`),
      },
      {
        label: t.rate,
        scale: "kbps",
        stroke: token("--playing"),
        width: 1.5,
        dash: [4, 3],
        points: dot,
        value: (_, rate) => (rate === null ? "–" : `${Math.round(rate)} kbit/s`),
      },
    ],
  };
}

export default function HealthChart({ metrics }: { metrics: readonly Metric[] }) {
  const box = useRef<HTMLElement>(null);
  const theme = useTheme();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours are read from the theme
  useEffect(
    () => (box.current === null ? undefined : drawChart(box.current, optionsFor(box.current), columnsOf(metrics))),
    [metrics, theme],
  );
  return <figure className="chart" dir="ltr" ref={box} role="img" aria-label={t.chartLabel} />;
}
