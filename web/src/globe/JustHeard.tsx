import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { meQuery, playsQuery } from "../api/queries";
import { useRoute } from "../app/route";
import { Ago } from "../frame/Ago";
import { merged, useLivePlays } from "../live/plays";
import { texts } from "../texts";

const shown = 5;

/** The last songs heard anywhere; a click shows the station. */
export function JustHeard() {
  const { data: account } = useQuery(meQuery);
  const { data } = useInfiniteQuery({ ...playsQuery({}, 20), enabled: account != null });
  const [, go] = useRoute();
  const live = useLivePlays();
  const rows = merged(data?.pages.flatMap((page) => page.rows) ?? [], live).slice(0, shown);
  if (account === undefined) return null;
  return (
    <section className="heard" aria-label={texts.globe.heard}>
      <h2>{texts.globe.heard}</h2>
      {rows.length === 0 && (
        <p className="quiet">{account === null ? texts.globe.heardSignIn : texts.globe.heardEmpty}</p>
      )}
      <ol>
        {rows.map((play) => (
          <li key={play.id} data-status={play.status}>
            <button type="button" onClick={() => go({ room: "globe", id: play.stream_id })}>
              <span className="heard-song">
                <bdi>{play.title}</bdi>
                {play.artist && <bdi className="quiet"> {play.artist}</bdi>}
              </span>
              <span className="heard-where quiet">
                <bdi>{play.station_name}</bdi> · <Ago at={play.started_at} />
              </span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}
