import { useQuery } from "@tanstack/react-query";
import { reviewQuery } from "../api/queries";
import type { Review } from "../api/types";
import { useRoute } from "../app/route";
import { Ago } from "../frame/Ago";
import { Drawer, Fact } from "../frame/Drawer";
import { percent } from "../frame/format";
import { Absent } from "../frame/Trouble";
import { tuner } from "../player/useTuner";
import { texts } from "../texts";
import { type Candidate, following, localOf, outsideOf } from "./candidates";
import { Decide } from "./Decide";
import { StationName } from "./ReviewRow";

const t = texts.review;

/** A review; one that the list has not read is asked for by itself, so that its address can be linked. */
export function ReviewDrawer({ id, shown }: { id: string; shown: readonly Review[] }) {
  const [, go] = useRoute();
  const known = shown.find((review) => review.id === id) ?? null;
  const { data, error, refetch } = useQuery({ ...reviewQuery(id), enabled: known === null });
  const review = known ?? data ?? null;
  return (
    <Drawer close={() => go({ room: "review", id: null })} test="review-drawer" subject={id}>
      {review === null ? (
        <Absent error={error} retry={() => void refetch()} />
      ) : (
        <>
          <About review={review} />
          {review.state === "open" ? (
            <Decide key={id} review={review} done={() => go({ room: "review", id: following(shown, id) })} />
          ) : (
            <Decided review={review} />
          )}
        </>
      )}
    </Drawer>
  );
}

function About({ review }: { review: Review }) {
  const [, go] = useRoute();
  const streamId = review.stream_id;
  return (
    <>
      <header className="drawer-head">
        <p className="eyebrow">{t.reason[review.reason]}</p>
        <h2>
          <StationName streamId={streamId} />
        </h2>
        <p className="quiet">
          <Ago at={review.heard_at} />
          {streamId !== null && (
            <>
              {" · "}
              <button type="button" className="link" onClick={() => go({ room: "stations", id: streamId })}>
                {texts.player.open}
              </button>
            </>
          )}
        </p>
      </header>
      <Sound path={review.sound} />
      <div className="candidates">
        <CandidateCard name={t.local} candidate={localOf(review)} />
        <CandidateCard name={t.outsideOf(review.provider)} candidate={outsideOf(review)} />
      </div>
    </>
  );
}

function Sound({ path }: { path: string | null }) {
  if (path === null) return <p className="quiet">{t.noSound}</p>;
  return (
    <figure className="evidence" data-testid="review-sound">
      <figcaption>{t.asHeard}</figcaption>
      {/* biome-ignore lint/a11y/useMediaCaption: twelve seconds of what was on air have no words to show */}
      <audio controls preload="none" src={path} onPlay={() => tuner.stop()} />
    </figure>
  );
}

function CandidateCard({ name, candidate }: { name: string; candidate: Candidate | null }) {
  return (
    <section className="candidate">
      <h3>{name}</h3>
      {candidate === null ? (
        <p className="quiet">{t.nobody}</p>
      ) : (
        <>
          <p className="now-title">{candidate.title}</p>
          <p className="quiet">{candidate.artist}</p>
          <dl className="facts">
            <Fact name={t.score}>
              {candidate.score !== null && <span className="figures">{percent(candidate.score)}</span>}
            </Fact>
            <Fact name={texts.plays.isrc}>
              {candidate.isrcs.length > 0 && <code>{candidate.isrcs.slice(0, 3).join(" ")}</code>}
            </Fact>
          </dl>
        </>
      )}
    </section>
  );
}

function Decided({ review }: { review: Review }) {
  return (
    <section className="section" data-testid="review-decided">
      <p>{review.decision !== null && t.done[review.decision]}</p>
      <p className="quiet">
        {review.decided_by !== null && t.by(review.decided_by)} <Ago at={review.decided_at} />
      </p>
      {review.note && <p>{review.note}</p>}
    </section>
  );
}
