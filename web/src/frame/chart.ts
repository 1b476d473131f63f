import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

/** The colours and letters of a chart, read from the page's tokens. */
export function chartTokens(box: HTMLElement) {
  const style = getComputedStyle(box);
  const token = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: token("--ink-3"),
    grid: { stroke: token("--line"), width: 1 },
    ticks: { show: false },
    font: `11px ${token("--font")}`,
  };
  return { token, axis };
}

/** With the pointer away, the legend tells the last values. */
export function showLast(chart: uPlot): void {
  if (chart.cursor.idx == null) chart.setLegend({ idx: chart.data[0].length - 1 }, false);
}

/** Draws a chart that is as wide as its box, whatever becomes of that; the answer takes it away. */
export function drawChart(
  box: HTMLElement,
  options: Omit<uPlot.Options, "width">,
  data: uPlot.AlignedData,
): () => void {
  const chart = new uPlot({ ...options, width: box.clientWidth }, data, box);
  showLast(chart);
  const watch = new ResizeObserver(() => chart.setSize({ width: box.clientWidth, height: options.height }));
  watch.observe(box);
  return () => {
    watch.disconnect();
    chart.destroy();
  };
}
