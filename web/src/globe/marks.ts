import type { Palette } from "./palette";
import type { ManyPoints, OnePoint } from "./view";

const scale = 2;
export const parts = 12;

export type Donut = { radius: number; playing: number; failing: number; label: string };

const radii = [
  [10, 13],
  [50, 15],
  [200, 18],
  [1000, 21],
  [10_000, 25],
] as const;

/** The name of a mark's image: `point:STATE[:unsure]`, or `donut:RADIUS:PLAYING:FAILING:LABEL`, the middle two in twelfths. */
export function iconOf(mark: OnePoint | ManyPoints): string {
  if (!("point_count" in mark)) return `point:${mark.state}${mark.unsure ? ":unsure" : ""}`;
  const { point_count: count, point_count_abbreviated: label, playing, failing } = mark;
  const radius = radii.find(([below]) => count < below)?.[1] ?? 30;
  const twelfths = (share: number): number => Math.round((parts * share) / count);
  return `donut:${radius}:${twelfths(playing)}:${twelfths(failing)}:${label}`;
}

/** The image that a name stands for; null for a name that is none of ours. */
export function drawIcon(icon: string, palette: Palette, font: string): ImageData | null {
  const donut = donutOf(icon);
  if (donut !== null) return drawDonut(donut, palette, font);
  return icon.startsWith("point:") ? drawPoint(icon.slice(6), palette) : null;
}

/** Reads a cluster's image name. */
export function donutOf(id: string): Donut | null {
  const found = /^donut:(\d{1,3}):(\d{1,2}):(\d{1,2}):([^:]{1,8})$/.exec(id);
  if (found === null) return null;
  const [, radius, playing, failing, label] = found;
  return { radius: Number(radius), playing: Number(playing), failing: Number(failing), label: label ?? "" };
}

/** Shares of the ring in order, as [from, to] in turns: what rounds beyond a whole ring is cut off. */
export function arcs(donut: Donut): { state: "playing" | "failing" | "unproven"; from: number; to: number }[] {
  const playing = Math.min(1, donut.playing / parts);
  const failing = Math.min(1 - playing, donut.failing / parts);
  const all = [
    { state: "playing" as const, from: 0, to: playing },
    { state: "failing" as const, from: playing, to: playing + failing },
    { state: "unproven" as const, from: playing + failing, to: 1 },
  ];
  return all.filter((arc) => arc.to - arc.from > 1e-6);
}

type Context = OffscreenCanvasRenderingContext2D;

function canvas(sizePx: number): [Context, number] {
  // Read back at once: in the processor's memory that is a copy, in the graphics card's a wait.
  const context = new OffscreenCanvas(sizePx * scale, sizePx * scale).getContext("2d", { willReadFrequently: true });
  if (context === null) throw new Error("The browser gave no 2D canvas to draw the globe's marks.");
  context.scale(scale, scale);
  return [context, sizePx];
}

const image = (context: Context): ImageData => context.getImageData(0, 0, context.canvas.width, context.canvas.height);

export function drawDonut(donut: Donut, palette: Palette, font: string): ImageData {
  const [context, size] = canvas(donut.radius * 2 + 2);
  const middle = size / 2;
  const width = Math.max(3, donut.radius * 0.2);
  context.beginPath();
  context.arc(middle, middle, donut.radius, 0, 2 * Math.PI);
  context.fillStyle = palette.core;
  context.fill();
  const shares = arcs(donut);
  const gap = shares.length > 1 ? 1.6 / donut.radius : 0;
  for (const share of shares) {
    context.beginPath();
    const from = share.from * 2 * Math.PI - Math.PI / 2;
    context.arc(
      middle,
      middle,
      donut.radius - width / 2,
      from + gap / 2,
      from + (share.to - share.from) * 2 * Math.PI - gap / 2,
    );
    context.lineWidth = width;
    context.strokeStyle = palette[share.state];
    context.stroke();
  }
  context.fillStyle = palette.ink;
  context.font = `600 ${donut.label.length > 3 ? 10 : 11}px ${font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(donut.label, middle, middle + 0.5);
  return image(context);
}

const pointPx = 18;

function outline(context: Context, state: string): void {
  const middle = pointPx / 2;
  context.lineJoin = "round";
  context.beginPath();
  if (state === "failing") {
    for (const [x, y] of [
      [0, -6.5],
      [6.5, 0],
      [0, 6.5],
      [-6.5, 0],
    ] as const)
      context.lineTo(middle + x, middle + y);
    context.closePath();
  } else if (state === "retired") {
    context.roundRect(middle - 5, middle - 1.5, 10, 3, 1.5);
  } else {
    context.arc(middle, middle, state === "unproven" ? 4.5 : 5.5, 0, 2 * Math.PI);
  }
}

/**
 * The shape of a state, as in the lists: disc, diamond, ring, dash, with a dark edge that keeps neighbours apart. One
 * whose place is hardly known is the same shape, faint and with a broken line.
 */
export function drawPoint(name: string, palette: Palette): ImageData {
  const [context] = canvas(pointPx);
  const [state = "", sureness] = name.split(":");
  const unsure = sureness === "unsure";
  outline(context, state);
  const colour = palette[state as keyof Palette] ?? palette.retired;
  const hollow = state === "unproven" || unsure;
  context.strokeStyle = palette.core;
  context.lineWidth = hollow ? 5 : 3;
  context.stroke();
  context.fillStyle = hollow ? palette.core : colour;
  context.fill();
  if (hollow) {
    context.strokeStyle = colour;
    context.lineWidth = unsure ? 1.4 : 2;
    if (unsure) {
      context.globalAlpha = 0.8;
      context.setLineDash([2.2, 1.8]);
    }
    context.stroke();
  }
  return image(context);
}

export const pixelRatio = scale;
