import { type FormEvent, useState } from "react";
import { askTakedown } from "../api/desk";
import { shortTrouble } from "../frame/Trouble";
import { texts } from "../texts";

const t = texts.takedown;

/** For station owners, signed in or not: asks that a stream be left out. A moderator decides. */
export function TakedownPage() {
  const [trouble, setTrouble] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [sent, setSent] = useState<string | null>(null);

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string): string => String(form.get(name) ?? "").trim();
    setBusy(true);
    setTrouble(null);
    try {
      const wish = { url: text("url"), reason: text("reason"), contact: text("contact") };
      const answer = await askTakedown({ ...wish, whole_host: form.get("whole_host") !== null });
      setSent(answer?.id ?? "");
    } catch (error) {
      setTrouble(shortTrouble(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <div className="room system">
      <div className="room-head">
        <h1>{texts.rail.takedown}</h1>
      </div>
      <div className="panels">
        {sent !== null ? (
          <section className="panel" role="status">
            <h2>{t.sent}</h2>
            <p>{t.sentHint}</p>
            <p className="quiet">
              {t.number} <code>{sent}</code>
            </p>
          </section>
        ) : (
          <section className="panel">
            <p className="about-text">{t.hint}</p>
            <form className="form" data-testid="takedown" onSubmit={(event) => void submit(event)}>
              <label>
                <span>{t.url}</span>
                <input
                  name="url"
                  type="url"
                  required
                  maxLength={8192}
                  defaultValue={new URLSearchParams(location.search).get("url") ?? ""}
                  spellCheck={false}
                />
              </label>
              <label className="check-one">
                <input name="whole_host" type="checkbox" /> {t.wholeHost}
              </label>
              <label>
                <span>{t.reason}</span>
                <textarea name="reason" required maxLength={4000} rows={4} />
              </label>
              <label>
                <span>{t.contact}</span>
                <input name="contact" type="email" required maxLength={320} autoComplete="email" />
              </label>
              {trouble !== null && (
                <p className="form-trouble" role="alert">
                  {trouble}
                </p>
              )}
              <div className="form-actions">
                <button type="submit" className="button primary" disabled={busy}>
                  {t.do}
                </button>
              </div>
            </form>
          </section>
        )}
      </div>
    </div>
  );
}
