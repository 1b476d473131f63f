import { useEffect } from "react";
import { nameOf } from "../frame/format";
import { step } from "./step";
import type { Playing } from "./tuner";
import { tuner } from "./useTuner";

const actions: [MediaSessionAction, () => void][] = [
  ["play", () => tuner.toggle()],
  ["pause", () => tuner.stop()],
  ["stop", () => tuner.stop()],
  ["nexttrack", () => void step(1)],
  ["previoustrack", () => void step(-1)],
];

/** The keys of a keyboard, headset or lock screen steer the player. */
export function useMediaKeys(playing: Playing): void {
  const { stream, status } = playing;
  useEffect(() => {
    if (!("mediaSession" in navigator)) return;
    for (const [action, act] of actions) navigator.mediaSession.setActionHandler(action, act);
    return () => {
      for (const [action] of actions) navigator.mediaSession.setActionHandler(action, null);
    };
  }, []);
  useEffect(() => {
    if (!("mediaSession" in navigator)) return;
    navigator.mediaSession.metadata =
      stream === null ? null : new MediaMetadata({ title: nameOf(stream), artist: stream.stream_title ?? "" });
    navigator.mediaSession.playbackState = status === "playing" ? "playing" : "none";
  }, [stream, status]);
}
