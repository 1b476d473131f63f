import { type FormEvent, useState } from "react";
import { addStream } from "../api/actions";
import { Problem } from "../api/request";
import { tell } from "../app/notices";
import { catalogue } from "../catalogue/useCatalogue";
import { Modal } from "../frame/Modal";
import { shortTrouble } from "../frame/Trouble";
import { texts } from "../texts";

const longestUrl = 8192;

export function AddStream({ close, open }: { close: () => void; open: (id: number) => void }) {
  const [trouble, setTrouble] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const t = texts.stations;

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const url = String(new FormData(event.currentTarget).get("url")).trim();
    setBusy(true);
    setTrouble(null);
    try {
      const stream = await addStream(url);
      tell(t.added);
      close();
      if (stream !== null) {
        catalogue.put([stream]);
        open(stream.id);
      }
    } catch (error) {
      setTrouble(error instanceof Problem && error.status === 401 ? texts.plays.signIn : shortTrouble(error));
      setBusy(false);
    }
  }

  return (
    <Modal title={t.add} close={close}>
      <form className="form" onSubmit={(event) => void submit(event)}>
        <label>
          <span>{t.addUrl}</span>
          <input
            name="url"
            type="url"
            required
            maxLength={longestUrl}
            placeholder="https://"
            inputMode="url"
            spellCheck={false}
          />
        </label>
        <p className="quiet">{t.addHint}</p>
        {trouble !== null && (
          <p className="form-trouble" role="alert">
            {trouble}
          </p>
        )}
        <div className="form-actions">
          <button type="button" className="button" onClick={close}>
            {t.cancel}
          </button>
          <button type="submit" className="button primary" disabled={busy}>
            {t.addDo}
          </button>
        </div>
      </form>
    </Modal>
  );
}
