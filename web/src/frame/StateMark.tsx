import type { StreamState } from "../api/types";
import { texts } from "../texts";

/** The shape of a state: disc, diamond, ring, moon, dash. The same shapes are drawn on the globe. */
export function StateShape({ state, size = 12 }: { state: StreamState; size?: number }) {
  return (
    <svg
      className="state-shape"
      data-state={state}
      width={size}
      height={size}
      viewBox="0 0 12 12"
      aria-hidden="true"
      focusable="false"
    >
      {state === "playing" && <circle cx="6" cy="6" r="4.500" fill="currentColor" />}
      {state === "failing" && <path d="M6 .8 11.200 6 6 11.200.8 6Z" fill="currentColor" />}
      {state === "unproven" && <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" strokeWidth="1.800" />}
      {state === "off_hours" && (
        <path d="M8.500 2A4.500 4.500 0 1 0 8.500 10 5.500 5.500 0 0 1 8.500 2Z" fill="currentColor" />
      )}
      {state === "retired" && <path d="M2 6h8" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />}
    </svg>
  );
}

/** A state by colour, shape and word; the cause, where there is one, in words beside it. */
export function StateMark({ state, cause }: { state: StreamState; cause?: string | null }) {
  const why = cause ? causeText(cause) : null;
  return (
    <span className="state-mark" data-state={state} title={why ?? texts.stateHint[state]}>
      <StateShape state={state} />
      <span>{texts.state[state] ?? state}</span>
    </span>
  );
}

export const causeText = (cause: string): string => texts.cause[cause.toLowerCase()] ?? cause.replaceAll("_", " ");
