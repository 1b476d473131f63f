import type { Stream } from "../api/types";
import { Ago } from "../frame/Ago";
import { Fact } from "../frame/Drawer";
import { kbps, languageName, percent, placeOf } from "../frame/format";
import { Icon } from "../frame/Icon";
import { causeText } from "../frame/StateMark";
import { every } from "../frame/time";
import { useIsOn } from "../player/useTuner";
import { texts } from "../texts";
import { CopyAddress } from "./CopyAddress";

const t = texts.drawer;

/** The song that is on, or what the stream says of itself. */
export function NowPlaying({ stream }: { stream: Stream }) {
  const on = useIsOn(stream.id);
  const song = stream.now_playing;
  if (song === null && !stream.stream_title) return null;
  return (
    <div className="now" data-on={on || undefined}>
      <p className="now-title">{song?.title ?? stream.stream_title}</p>
      {song !== null && (
        <p className="quiet">
          <bdi>{song.artist}</bdi> · <Ago at={song.since} />
        </p>
      )}
    </div>
  );
}

function bitrates(stream: Stream): string {
  const parts = [];
  if (stream.bitrate_measured_kbps !== null) parts.push(`${kbps(stream.bitrate_measured_kbps)} ${t.measured}`);
  if (stream.bitrate !== null) parts.push(`${kbps(stream.bitrate)} ${t.claimed}`);
  return parts.join(", ");
}

/** The plain facts of a stream. */
export function About({ stream }: { stream: Stream }) {
  const format = [stream.codec?.toUpperCase(), bitrates(stream), stream.has_picture ? t.picture : ""]
    .filter(Boolean)
    .join(" · ");
  const bound = stream.reliability_lower_bound;
  const place = [placeOf(stream), stream.accuracy_radius_km ? t.accuracy(stream.accuracy_radius_km) : ""].filter(
    (part) => part !== "",
  );
  return (
    <section className="section">
      <h3>{t.about}</h3>
      {stream.description && <p className="about-text">{stream.description}</p>}
      <dl className="facts">
        <Fact name={t.format}>{format}</Fact>
        <Fact name={t.warnings}>{stream.warnings.map(causeText).join(", ")}</Fact>
        <Fact name={t.reliability}>
          {percent(stream.reliability_score)}
          <span className="quiet"> {`${t.lower} ${percent(bound)}`}</span>
        </Fact>
        <Fact name={t.quality}>{stream.state !== "unproven" && percent(stream.quality_score)}</Fact>
        <Fact name={t.genre}>{stream.genre || stream.tags.join(", ")}</Fact>
        <Fact name={t.language}>{stream.language && languageName(stream.language)}</Fact>
        <Fact name={t.place}>{place.join(", ")}</Fact>
        <Fact name={t.website}>
          {stream.website && /^https?:/.test(stream.website) && (
            <a href={stream.website} target="_blank" rel="noreferrer noopener">
              {stream.website.replace(/^https?:\/\/(www\.)?|\/$/g, "")} <Icon name="out" size={14} />
            </a>
          )}
        </Fact>
        <Fact name={t.since}>
          <Ago at={stream.created_at} />
        </Fact>
        <Fact name={t.every}>{every(stream.check_frequency)}</Fact>
        <Fact name={t.url}>
          <CopyAddress address={stream.url} />
        </Fact>
      </dl>
    </section>
  );
}
