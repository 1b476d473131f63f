import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Client, clients, stationQuery } from "../api/stations";
import type { RankedStream } from "../api/types";
import { useRoute } from "../app/route";
import { kbps, percent } from "../frame/format";
import { joined } from "../frame/joined";
import { Offered } from "../frame/Offered";
import { StateShape } from "../frame/StateMark";
import { Switch } from "../frame/Switch";
import { texts } from "../texts";

const t = texts.station;
const options: readonly (Client | "")[] = ["", ...clients];

/** The station's streams, the best for a kind of player first, with why. */
export function Ranked({ stationId, selected }: { stationId: number; selected: number }) {
  const [client, setClient] = useState<Client | "">("");
  const query = useQuery(stationQuery(stationId, client));
  const streams = query.data?.streams ?? [];
  return (
    <Offered
      title={t.streams}
      note={query.data?.time_zone}
      wide
      query={query}
      isEmpty={streams.length === 0}
      empty={t.streamsEmpty}
      test="ranked"
    >
      <Switch
        label={t.bestFor}
        value={client}
        options={options}
        word={(one) => t.client[one] ?? one}
        pick={setClient}
      />
      <ol className="lines">
        {streams.map((ranked) => (
          <Line key={ranked.stream.id} ranked={ranked} selected={ranked.stream.id === selected} />
        ))}
      </ol>
    </Offered>
  );
}

function Line({ ranked, selected }: { ranked: RankedStream; selected: boolean }) {
  const [, go] = useRoute();
  const { stream } = ranked;
  const rate = stream.bitrate_measured_kbps ?? stream.bitrate;
  return (
    <li className="line" data-off={!ranked.is_playable || undefined} title={ranked.reasons.join("\n")}>
      <span className="line-main">
        <button
          type="button"
          className="link"
          aria-current={selected || undefined}
          onClick={() => go({ room: "station", id: stream.id })}
        >
          <StateShape state={stream.state as "playing"} size={10} />{" "}
          {joined([stream.codec?.toUpperCase(), rate !== null && kbps(rate), stream.is_hls && "HLS"], " · ") ||
            stream.name}
        </button>
        <span className="quiet address" dir="ltr">
          {stream.url}
        </span>
      </span>
      <span className="line-end">
        {stream.playable_in.map((one) => (
          <span key={one} className="chip">
            {t.client[one] ?? one}
          </span>
        ))}
        <span className="figures" title={t.score}>
          {percent(ranked.score)}
        </span>
      </span>
    </li>
  );
}
