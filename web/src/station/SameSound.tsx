import { useQuery, useQueryClient } from "@tanstack/react-query";
import { meQuery } from "../api/queries";
import { mergesOfQuery, simulcastsQuery, undoMerge } from "../api/stations";
import type { Merge, Simulcast } from "../api/types";
import { may } from "../app/access";
import { tell } from "../app/notices";
import { useRoute } from "../app/route";
import { Ago } from "../frame/Ago";
import { decimal, percent } from "../frame/format";
import { Offered } from "../frame/Offered";
import { shortTrouble } from "../frame/Trouble";
import { texts } from "../texts";

const t = texts.sameSound;

/** Streams that were heard to carry the same programme. */
export function Simulcasts({ stationId }: { stationId: number }) {
  const query = useQuery(simulcastsQuery(stationId));
  const rows = query.data ?? [];
  return (
    <Offered title={t.title} query={query} isEmpty={rows.length === 0} empty={t.empty} test="simulcasts">
      <ul className="lines">
        {rows.map((row) => (
          <Pair key={`${row.stream_id} ${row.other_stream_id}`} row={row} />
        ))}
      </ul>
    </Offered>
  );
}

function Pair({ row }: { row: Simulcast }) {
  const [, go] = useRoute();
  return (
    <li className="line">
      <span className="line-main">
        <button type="button" className="link" onClick={() => go({ room: "station", id: row.other_stream_id })}>
          {row.other_name ?? `${texts.rail.station} ${row.other_stream_id}`}
        </button>
        <span className="quiet">
          {t.verdict[row.verdict] ?? row.verdict}
          {row.since !== null && (
            <>
              {" · "}
              {t.since} <Ago at={row.since} />
            </>
          )}
        </span>
      </span>
      <span className="line-end quiet figures">
        {row.delay_s !== null && <span>{t.later(decimal(row.delay_s, 1))}</span>}
        <span>{t.looks(row.looks_agreed, row.looks_disagreed)}</span>
        <span>{percent(row.probability)}</span>
      </span>
    </li>
  );
}

/** Which stations were joined into this one, why, and the way back. */
export function Merges({ stationId }: { stationId: number }) {
  const query = useQuery(mergesOfQuery(stationId));
  const rows = query.data ?? [];
  return (
    <Offered title={t.merges} query={query} isEmpty={rows.length === 0} empty={t.mergesEmpty} test="merges">
      <ul className="lines">
        {rows.map((merge) => (
          <MergeLine key={merge.id} merge={merge} />
        ))}
      </ul>
    </Offered>
  );
}

export function MergeLine({ merge }: { merge: Merge }) {
  return (
    <li className="line" data-off={merge.undone_at !== null || undefined}>
      <span className="line-main">
        <strong>{t.joined(merge.merged_name, merge.kept_name)}</strong>
        <span className="quiet">{reasonOf(merge)}</span>
      </span>
      <span className="line-end quiet">
        <Ago at={merge.at} />
        <Undo merge={merge} />
      </span>
    </li>
  );
}

export const reasonOf = (merge: Merge): string =>
  `${t.reason[merge.reason] ?? merge.reason.replaceAll("_", " ")} (${percent(merge.confidence)})`;

export function Undo({ merge, done }: { merge: Merge; done?: () => void }) {
  const { data: account } = useQuery(meQuery);
  const undo = useUndo(done);
  if (merge.undone_at !== null) {
    return (
      <span>
        {t.undone} <Ago at={merge.undone_at} />
      </span>
    );
  }
  if (!may(account, "system:write")) return null;
  return (
    <button type="button" className="link" onClick={() => void undo(merge.id)}>
      {t.undo}
    </button>
  );
}

/** Takes a merge back; the two are never joined again by themselves. */
export function useUndo(done?: () => void): (id: number) => Promise<void> {
  const client = useQueryClient();
  return async (id) => {
    try {
      await undoMerge(id);
      tell(t.undoneNow);
      done?.();
    } catch (error) {
      tell(shortTrouble(error), true);
    } finally {
      for (const key of ["merges", "station", "stream", "streams"]) void client.invalidateQueries({ queryKey: [key] });
    }
  };
}
