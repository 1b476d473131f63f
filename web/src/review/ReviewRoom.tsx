import { useState } from "react";
import { reviewsQuery } from "../api/queries";
import type { Review } from "../api/types";
import { ListRoom } from "../frame/ListRoom";
import { Switch } from "../frame/Switch";
import { useList } from "../frame/useList";
import { texts } from "../texts";
import { ReviewDrawer } from "./ReviewDrawer";
import { ReviewRow } from "./ReviewRow";

const t = texts.review;
const states = ["open", "decided"] as const;

/** Sounds on which people decide: what waits first, what was decided on request. */
export function ReviewRoom() {
  const [state, setState] = useState<Review["state"]>("open");
  const list = useList("review", reviewsQuery(state));
  return (
    <>
      <ListRoom
        list={list}
        title={t.title}
        beside={
          <Switch
            label={t.show}
            value={state}
            options={states}
            word={(option) => t.state[option] ?? option}
            pick={setState}
          />
        }
        empty={state === "open" ? t.empty : t.emptyDecided}
        emptyHint={t.emptyHint}
        signIn={t.signIn}
        signInHint={t.signInHint}
        keyOf={(review) => review.id}
        heights={{ wide: 52, narrow: 96 }}
        head={<Head />}
        reading={t.more}
        row={(review) => <ReviewRow review={review} selected={review.id === list.selected} open={list.open} />}
      />
      {typeof list.selected === "string" && <ReviewDrawer id={list.selected} shown={list.rows} />}
    </>
  );
}

function Head() {
  return (
    <div className="row rows-head review-row" aria-hidden="true">
      <span className="row-name">{t.local}</span>
      <span className="cell cell-outside">{t.outside}</span>
      <span className="cell cell-confidence">{t.score}</span>
      <span className="cell cell-station">{texts.plays.station}</span>
      <span className="cell cell-heard">{t.heard}</span>
    </div>
  );
}
