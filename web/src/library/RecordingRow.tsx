import { memo } from "react";
import type { Recording } from "../api/types";
import { pathOf } from "../app/route";
import { whole } from "../frame/format";
import { length } from "../frame/time";

type Props = { recording: Recording; selected: boolean; open: (id: string) => void };

export const RecordingRow = memo(function RecordingRow({ recording, selected, open }: Props) {
  return (
    <div className="row recording-row" data-testid="recording-row" data-selected={selected || undefined}>
      <a
        className="row-name"
        data-row=""
        href={pathOf({ room: "library", id: recording.id })}
        aria-current={selected || undefined}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          open(recording.id);
        }}
      >
        <span className="row-title">{recording.title}</span>
        <span className="row-sub">{recording.artist}</span>
      </a>
      <span className="cell cell-album">{recording.album}</span>
      <span className="cell cell-class">{recording.recording_class}</span>
      <span className="cell cell-length figures">{length(recording.duration_ms)}</span>
      <span className="cell cell-plays figures">{whole(recording.plays)}</span>
    </div>
  );
});
