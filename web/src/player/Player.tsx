import { type CSSProperties, useEffect, useRef, useState } from "react";
import { useRoute } from "../app/route";
import { useStream } from "../catalogue/useCatalogue";
import { nameOf, placeOf } from "../frame/format";
import { Icon } from "../frame/Icon";
import { songLine } from "../frame/joined";
import { length, useNow } from "../frame/time";
import { texts } from "../texts";
import { useMediaKeys } from "./mediaKeys";
import { step } from "./step";
import type { Playing } from "./tuner";
import { tuner, usePlaying } from "./useTuner";

/** The bar that goes on playing wherever one is in the page. */
export function Player() {
  const playing = usePlaying();
  const element = useRef<HTMLVideoElement>(null);
  const [picture, setPicture] = useState(true);
  const hasPicture =
    playing.stream?.has_picture === true && (playing.status === "playing" || playing.status === "connecting");
  const on = playing.status === "playing" || playing.status === "connecting";
  const level = playing.muted ? 0 : playing.volume;
  const t = texts.player;

  useEffect(() => (element.current === null ? undefined : tuner.attach(element.current)), []);
  useMediaKeys(playing);

  return (
    <section className="player" aria-label={t.label} data-testid="player" data-status={playing.status}>
      <div className="player-picture" data-shown={(hasPicture && picture) || undefined}>
        {/* biome-ignore lint/a11y/useMediaCaption: live broadcasts bring their captions with them or have none */}
        <video ref={element} playsInline preload="none" />
      </div>
      <div className="player-buttons">
        <button
          type="button"
          className="icon-button player-step"
          aria-label={t.previous}
          title={t.previous}
          onClick={() => void step(-1)}
        >
          <Icon name="previous" />
        </button>
        <button
          type="button"
          className="player-toggle"
          data-testid="player-toggle"
          aria-label={on ? t.stop : t.play}
          disabled={playing.stream === null}
          onClick={() => tuner.toggle()}
        >
          <Icon name={on ? "stop" : "play"} size={22} />
        </button>
        <button
          type="button"
          className="icon-button player-step"
          aria-label={t.next}
          title={t.next}
          onClick={() => void step(1)}
        >
          <Icon name="next" />
        </button>
      </div>
      <OnAir playing={playing} />
      <div className="player-end">
        {hasPicture && (
          <button
            type="button"
            className="icon-button"
            aria-pressed={picture}
            aria-label={picture ? t.hidePicture : t.picture}
            onClick={() => setPicture(!picture)}
          >
            <Icon name="picture" />
          </button>
        )}
        <button
          type="button"
          className="icon-button"
          aria-label={playing.muted ? t.unmute : t.mute}
          onClick={() => tuner.mute(!playing.muted)}
        >
          <Icon name={playing.muted ? "muted" : "volume"} />
        </button>
        <input
          className="player-volume"
          type="range"
          min={0}
          max={1}
          step={0.05}
          value={level}
          style={{ "--level": `${level * 100}%` } as CSSProperties}
          aria-label={t.volume}
          onChange={(event) => tuner.setVolume(Number(event.target.value))}
        />
      </div>
    </section>
  );
}

function OnAir({ playing }: { playing: Playing }) {
  const [{ room }, go] = useRoute();
  const known = useStream(playing.stream?.id ?? null);
  const stream = known ?? playing.stream;
  if (stream === null) return <p className="player-idle">{texts.player.idle}</p>;
  const song = stream.now_playing;
  const heard = song === null ? stream.stream_title : songLine(song);
  const under =
    playing.status === "failed" ? texts.player.trouble[playing.trouble ?? "unreachable"] : heard || placeOf(stream);
  return (
    <div className="player-what">
      <button
        type="button"
        className="player-name"
        title={texts.player.open}
        onClick={() => go({ room: room === "stations" ? "stations" : "globe", id: stream.id })}
      >
        {nameOf(stream)}
      </button>
      <p className="player-line" aria-live="polite">
        <PlayerStatus playing={playing} />
        <span className="player-song">{under}</span>
        {playing.status === "failed" && (
          <button type="button" className="link" onClick={() => void tuner.play(stream)}>
            {texts.player.retry}
          </button>
        )}
      </p>
    </div>
  );
}

function PlayerStatus({ playing }: { playing: Playing }) {
  const now = useNow();
  const { status, since } = playing;
  if (status === "idle") return null;
  const word = texts.player[status === "failed" ? "failed" : status];
  return (
    <span className="player-status figures" data-status={status}>
      {status === "playing" && since !== null ? length(Math.max(0, now - since)) : word}
    </span>
  );
}
