import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { proveNow, startListening, stopListening } from "../api/actions";
import { meQuery, sessionsQuery } from "../api/queries";
import type { Session, Stream } from "../api/types";
import { tell } from "../app/notices";
import { shortTrouble } from "../frame/Trouble";
import { texts } from "../texts";

export const isLive = (session: Session): boolean => !["stopped", "ended", "failed"].includes(session.status);

/** What one may do with a stream besides playing it; shown to those who are signed in. */
export function StationActions({ stream }: { stream: Stream }) {
  const { data: account } = useQuery(meQuery);
  const { data: sessions } = useQuery({ ...sessionsQuery, enabled: account != null });
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const t = texts.drawer;
  if (!account) return null;
  const listening = sessions?.some((session) => session.stream_id === stream.id && isLive(session)) ?? false;

  async function act(action: () => Promise<unknown>, said?: string): Promise<void> {
    setBusy(true);
    try {
      await action();
      if (said) tell(said);
      await client.invalidateQueries({ queryKey: ["sessions"] });
    } catch (error) {
      tell(shortTrouble(error), true);
    } finally {
      setBusy(false);
    }
  }

  return (
    <>
      <button
        type="button"
        className="button"
        disabled={busy}
        onClick={() => void act(() => proveNow(stream.id), t.proving)}
      >
        {t.prove}
      </button>
      <button
        type="button"
        className="button"
        disabled={busy}
        aria-pressed={listening}
        onClick={() => void act(() => (listening ? stopListening(stream.id) : startListening(stream.id)))}
      >
        {listening ? t.unlisten : t.listen}
      </button>
    </>
  );
}
