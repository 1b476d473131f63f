import { useQuery } from "@tanstack/react-query";
import { provenanceQuery } from "../api/stations";
import { Ago } from "../frame/Ago";
import { Offered } from "../frame/Offered";
import { texts } from "../texts";

const t = texts.provenance;

/** Which directory says what, and since when. */
export function ProvenancePanel({ id }: { id: number }) {
  const query = useQuery(provenanceQuery(id));
  const fields = query.data ?? [];
  return (
    <Offered title={t.title} wide query={query} isEmpty={fields.length === 0} empty={t.empty} test="provenance">
      <ul className="lines">
        {fields.flatMap(({ field, derived_from: derived, said }) =>
          said.map((one) => (
            <li
              key={`${field} ${one.source} ${one.source_key}`}
              className="line"
              data-off={!one.stands || undefined}
              title={one.stands ? t.stands : t.overruled}
            >
              <span className="line-main">
                <strong>{field.replaceAll("_", " ")}</strong>
                <span className="quiet">{shown(one.value)}</span>
              </span>
              <span className="line-end quiet">
                <span>{derived ?? one.source}</span>
                <Ago at={one.last_seen} />
              </span>
            </li>
          )),
        )}
      </ul>
    </Offered>
  );
}

const shown = (value: unknown): string => (typeof value === "object" ? JSON.stringify(value) : String(value));
