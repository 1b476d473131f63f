import { useQuery } from "@tanstack/react-query";
import { provenanceQuery } from "../api/stations";
import { Ago } from "../frame/Ago";
import { Offered } from "../frame/Offered";
import { texts } from "../texts";

const t = texts.provenance;

/** Which directory says what, and since when. */
export function ProvenancePanel({ id }: { id: number }) {
  const query = useQuery(provenanceQuery(id));
  const fields = Object.entries(query.data ?? {});
  return (
    <Offered title={t.title} query={query} isEmpty={fields.length === 0} empty={t.empty} test="provenance">
      <ul className="lines">
        {fields.flatMap(([field, claims]) =>
          claims.map((claim) => (
            <li key={`${field} ${claim.source} ${String(claim.value)}`} className="line">
              <span className="line-main">
                <strong>{field.replaceAll("_", " ")}</strong>
                <span className="quiet">{String(claim.value)}</span>
              </span>
              <span className="line-end quiet">
                <span>{claim.source}</span>
                <Ago at={claim.last_seen} />
              </span>
            </li>
          )),
        )}
      </ul>
    </Offered>
  );
}
