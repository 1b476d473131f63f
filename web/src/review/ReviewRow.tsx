import { memo } from "react";
import type { Review } from "../api/types";
import { pathOf } from "../app/route";
import { useStream } from "../catalogue/useCatalogue";
import { Ago } from "../frame/Ago";
import { nameOf, percent } from "../frame/format";
import { texts } from "../texts";
import { localOf, outsideOf } from "./candidates";

const t = texts.review;

type Props = { review: Review; selected: boolean; open: (id: string) => void };

/** Both candidates in one line, ours first, as in the drawer. */
export const ReviewRow = memo(function ReviewRow({ review, selected, open }: Props) {
  const [local, outside] = [localOf(review), outsideOf(review)];
  return (
    <div className="row review-row" data-testid="review-row" data-selected={selected || undefined}>
      <a
        className="row-name"
        data-row=""
        href={pathOf({ room: "review", id: review.id })}
        aria-current={selected || undefined}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          open(review.id);
        }}
      >
        <span className={local === null ? "row-sub" : "row-title"}>{local?.title ?? t.nobody}</span>
        <span className="row-sub">{local?.artist}</span>
      </a>
      <span className="row-name cell-outside">
        <span className="row-title">{outside.title}</span>
        <span className="row-sub">{outside.artist}</span>
      </span>
      <span className="cell cell-confidence figures">{percent(review.outside_score)}</span>
      <span className="cell cell-station">
        <StationName streamId={review.stream_id} />
      </span>
      <span className="cell cell-heard">
        <Ago at={review.heard_at} />
      </span>
    </div>
  );
});

export function StationName({ streamId }: { streamId: number | null }) {
  const stream = useStream(streamId);
  return stream === null ? texts.plays.unknownStation : nameOf(stream);
}
