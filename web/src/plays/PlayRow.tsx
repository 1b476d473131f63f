import { memo } from "react";
import type { Play } from "../api/types";
import { pathOf } from "../app/route";
import { Ago } from "../frame/Ago";
import { percent } from "../frame/format";
import { length } from "../frame/time";
import { texts } from "../texts";

const t = texts.plays;

type Props = { play: Play; selected: boolean; open: (id: string) => void };

export const PlayRow = memo(function PlayRow({ play, selected, open }: Props) {
  return (
    <div
      className="row play-row"
      data-testid="play-row"
      data-status={play.status}
      data-selected={selected || undefined}
    >
      <span className="on-air" aria-hidden="true" />
      <a
        className="row-name"
        data-row=""
        href={pathOf({ room: "plays", id: play.id })}
        aria-current={selected || undefined}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          open(play.id);
        }}
      >
        <span className="row-title">{play.title}</span>
        <span className="row-sub">{play.artist}</span>
      </a>
      <span className="cell cell-station">{play.station_name ?? t.unknownStation}</span>
      <span className="cell cell-length figures">{lengthOf(play)}</span>
      <span className="cell cell-confidence figures">{percent(play.confidence_score)}</span>
      <span className="cell cell-started">
        <Ago at={play.started_at} />
      </span>
    </div>
  );
});

export const lengthOf = (play: Play): string =>
  play.status === "playing" ? (t.status["playing"] ?? "") : length(play.duration_ms);
