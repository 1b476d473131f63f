import { useQuery } from "@tanstack/react-query";
import { evidenceQuery } from "../api/queries";
import type { Play } from "../api/types";
import { tuner } from "../player/useTuner";
import { texts } from "../texts";

const t = texts.plays;
const SHOWN_OF_HASH = 12;

/** The sound that a play rests on, as it was heard. A play's id is its detection's; nothing is shown where none is kept. */
export function Evidence({ play }: { play: Play }) {
  const { data } = useQuery(evidenceQuery(play.id, play.status));
  if (!data) return null;
  return (
    <figure className="evidence" data-testid="evidence">
      <figcaption>
        {t.evidence}{" "}
        <code className="quiet" title={`SHA-256 ${data.sha256}`}>
          {data.sha256.slice(0, SHOWN_OF_HASH)}
        </code>
      </figcaption>
      {/* biome-ignore lint/a11y/useMediaCaption: ten seconds of what was on air have no words to show */}
      <audio controls preload="none" src={data.audio} onPlay={() => tuner.stop()} />
    </figure>
  );
}
