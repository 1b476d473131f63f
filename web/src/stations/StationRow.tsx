import { memo } from "react";
import type { Stream } from "../api/types";
import { Ago } from "../frame/Ago";
import { kbps, nameOf, percent, placeOf } from "../frame/format";
import { Icon } from "../frame/Icon";
import { songLine } from "../frame/joined";
import { causeText, StateMark } from "../frame/StateMark";
import { tuner, useIsOn } from "../player/useTuner";
import { texts } from "../texts";

type Props = { stream: Stream; selected: boolean; open: (id: number) => void };

export const StationRow = memo(function StationRow({ stream, selected, open }: Props) {
  const on = useIsOn(stream.id);
  return (
    <div
      className="row station-row"
      data-testid="station-row"
      data-selected={selected || undefined}
      data-on={on || undefined}
    >
      <button
        type="button"
        className="row-play"
        tabIndex={-1}
        aria-label={on ? texts.player.stop : texts.stations.play(nameOf(stream))}
        onClick={() => tuner.toggle(stream)}
      >
        <Icon name={on ? "stop" : "play"} size={18} />
      </button>
      <a
        className="row-name"
        data-row=""
        href={`/stations/${stream.id}`}
        aria-current={selected || undefined}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          open(stream.id);
        }}
        onKeyDown={(event) => {
          if (event.key !== " ") return;
          event.preventDefault();
          tuner.toggle(stream);
        }}
      >
        <span className="row-title">{nameOf(stream)}</span>
        <span className="row-sub">{subline(stream)}</span>
      </a>
      <span className="cell cell-place">{placeOf(stream)}</span>
      <span className="cell cell-state">
        <StateMark state={stream.state} cause={stream.cause} />
      </span>
      <span className="cell cell-sound figures">{sound(stream)}</span>
      <span className="cell cell-reliability">
        <Reliability stream={stream} />
      </span>
      <span className="cell cell-checked">
        <Ago at={stream.last_checked} />
      </span>
    </div>
  );
});

/** What is heard now; else why it fails; else what it is. */
function subline(stream: Stream): string {
  const song = stream.now_playing;
  if (song !== null) return songLine(song);
  if (stream.state === "failing" && stream.cause !== null) return causeText(stream.cause);
  return stream.stream_title || stream.genre || "";
}

function sound(stream: Stream): string {
  const rate = stream.bitrate_measured_kbps ?? stream.bitrate;
  const codec = stream.codec ?? "";
  return [stream.type === "tv" ? texts.kind.tv : "", codec.toUpperCase(), rate === null ? "" : kbps(rate)]
    .filter((part) => part !== "")
    .join(" ");
}

export function Reliability({ stream }: { stream: Stream }) {
  if (stream.state === "unproven") return <span className="quiet">–</span>;
  const score = percent(stream.reliability_score);
  return (
    <span
      className="reliability figures"
      title={`${score}, ${texts.drawer.lower} ${percent(stream.reliability_lower_bound)}`}
    >
      <span className="reliability-bar" aria-hidden="true">
        <span style={{ inlineSize: `${Math.round(stream.reliability_score * 100)}%` }} />
      </span>
      {score}
    </span>
  );
}
