import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { decideReview } from "../api/actions";
import { meQuery } from "../api/queries";
import type { Decision, Review } from "../api/types";
import { may } from "../app/access";
import { useKeys } from "../app/keyboard";
import { tell } from "../app/notices";
import { shortTrouble } from "../frame/Trouble";
import { texts } from "../texts";
import { choicesOf, decisionOf } from "./candidates";

const t = texts.review;

/** One key or click decides and leads to the next. The API knows no way back, so a key held down decides only once. */
export function Decide({ review, done }: { review: Review; done: () => void }) {
  const { data: account } = useQuery(meQuery);
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const choices = choicesOf(review);
  const allowed = may(account, "plays:write");

  async function decide(decision: Decision): Promise<void> {
    if (busy || !allowed || !choices.includes(decision)) return;
    setBusy(true);
    try {
      await decideReview(review.id, decision);
      tell(t.done[decision] ?? decision);
      done();
    } catch (error) {
      tell(shortTrouble(error), true);
      setBusy(false);
    } finally {
      // Also where it failed: somebody else may have decided meanwhile.
      for (const key of ["reviews", "review", "plays"]) void client.invalidateQueries({ queryKey: [key] });
    }
  }

  useKeys(
    Object.fromEntries(
      Object.entries(decisionOf).map(([key, decision]) => [key, (event) => event.repeat || void decide(decision)]),
    ),
  );
  if (!allowed) return <p className="quiet">{t.reader}</p>;
  return (
    <section className="section">
      <div className="drawer-actions">
        {Object.entries(decisionOf).map(([key, decision]) => (
          <button
            key={key}
            type="button"
            className="button"
            data-decision={decision}
            disabled={busy || !choices.includes(decision)}
            aria-keyshortcuts={key}
            onClick={() => void decide(decision)}
          >
            {t.choose[decision]} <kbd>{key}</kbd>
          </button>
        ))}
      </div>
      <p className="quiet">{t.final}</p>
    </section>
  );
}
