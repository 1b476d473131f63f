import { memo } from "react";
import type { Unknown } from "../api/types";
import { pathOf } from "../app/route";
import { Ago } from "../frame/Ago";
import { whole } from "../frame/format";
import { joined } from "../frame/joined";
import { length } from "../frame/time";
import { texts } from "../texts";

const t = texts.unknown;

type Props = { unknown: Unknown; selected: boolean; open: (id: string) => void };

export const titleOf = (unknown: Pick<Unknown, "id" | "title">): string => unknown.title ?? t.untitled(unknown.id);
export const classWord = (name: string | null): string => (name === null ? "" : (t.classes[name] ?? name));

export const UnknownRow = memo(function UnknownRow({ unknown, selected, open }: Props) {
  return (
    <div className="row unknown-row" data-testid="unknown-row" data-selected={selected || undefined}>
      <a
        className="row-name"
        data-row=""
        href={pathOf({ room: "unknown", id: unknown.id })}
        aria-current={selected || undefined}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          open(unknown.id);
        }}
      >
        <span className="row-title">{titleOf(unknown)}</span>
        {unknown.artist === null ? (
          <span className="row-sub row-fold figures">
            {joined([classWord(unknown.suggested_class), length(unknown.duration_ms)], " · ")}
          </span>
        ) : (
          <span className="row-sub">{unknown.artist}</span>
        )}
      </a>
      <span className="cell cell-class">{classWord(unknown.suggested_class)}</span>
      <span className="cell cell-plays figures">{t.timesHeard(unknown.times_heard)}</span>
      <span className="cell cell-stations figures">{whole(unknown.stations)}</span>
      <span className="cell cell-length figures">{length(unknown.duration_ms)}</span>
      <span className="cell cell-heard">
        <Ago at={unknown.last_heard_at} />
      </span>
    </div>
  );
});
