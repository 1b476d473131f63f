import { useSyncExternalStore } from "react";
import { type Playing, Tuner } from "./tuner";

export const tuner = new Tuner();

export const usePlaying = (): Playing => useSyncExternalStore(tuner.watch, tuner.read);

/** Whether this stream is the one that plays or is about to. */
export function useIsOn(id: number): boolean {
  const { stream, status } = usePlaying();
  return stream?.id === id && (status === "playing" || status === "connecting");
}
